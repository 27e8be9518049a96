// The map of films. Leaflet moves and zooms it; this draws its stars, names and constellations.
// The server sends columns (see `atlas`): a film is its position in them, the best known first.
document.addEventListener("DOMContentLoaded", async () => {
  const root = document.querySelector("[data-map]");
  const ground = root?.querySelector("[data-sky]");
  if (!ground) return;
  const sky = await fetch(root.dataset.films).then((answer) => answer.json());
  const { films, regions, side } = sky;
  const count = films.id.length;
  const positions = new Map(films.id.map((id, film) => [id, film]));
  const rated = new Set(
    JSON.parse(document.getElementById("map-rated")?.textContent ?? "[]").map((id) => positions.get(id)),
  );
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

  // What films look like -----------------------------------------------------------------------

  const MAGNITUDES = 9;
  const magnitude = Uint8Array.from(films.ratings, (ratings) =>
    Math.min(MAGNITUDES, Math.ceil(Math.log10(ratings + 1) * 2.2)),
  );
  const keys = (kind) => [...root.querySelectorAll(`[data-key="${kind}"]`)];
  const keysOf = { genre: keys("genre"), decade: keys("decade") };
  // Whether a film belongs to a key of the legend. A film has several genres, and one decade.
  const belongs = {
    genre: (film, key) => (films.genres[film] >> key.dataset.value) & 1,
    decade: (film, key) =>
      films.year[film] && keysOf.decade.findLast(({ dataset }) => films.year[film] >= dataset.value) === key,
    rated: (film) => rated.has(film),
  };
  // Its most telling genre is the first that it has.
  const byTelling = [...keysOf.genre].sort((a, b) => a.dataset.value - b.dataset.value);
  const markOf = {
    genre: (film) => byTelling.find((key) => belongs.genre(film, key)),
    decade: (film) => keysOf.decade.find((key) => belongs.decade(film, key)),
  };

  let by = "genre";
  let chosen = null; // The legend's key whose films alone are lit.
  let marks = []; // By film: its key's colour and shape.
  let colors = {};
  const sprites = new Map();

  const look = () => {
    const style = getComputedStyle(ground);
    colors = { plain: style.color, ring: style.caretColor, edge: style.backgroundColor };
    const looks = new Map(
      keysOf[by].map((key, number) => {
        const mark = key.querySelector(".mark");
        return [key, { name: `${by}${number}`, shape: mark.dataset.shape, color: getComputedStyle(mark).color }];
      }),
    );
    const none = { name: "none", shape: "circle", color: colors.plain };
    marks = Array.from(films.id, (_, film) => looks.get(markOf[by](film)) ?? none);
    sprites.clear();
  };
  const isLit = (film) => !chosen || belongs[chosen.dataset.key](film, chosen);

  const outline = {
    circle: (pen, r) => pen.arc(0, 0, r, 0, 2 * Math.PI),
    square: (pen, r) => pen.rect(-0.86 * r, -0.86 * r, 1.72 * r, 1.72 * r),
    triangle: (pen, r) => polygon(pen, 3, 1.25 * r),
    diamond: (pen, r) => polygon(pen, 4, 1.2 * r),
  };
  const polygon = (pen, corners, r) => {
    for (let corner = 0; corner < corners; corner++) {
      const angle = (2 * Math.PI * corner) / corners - Math.PI / 2;
      pen.lineTo(r * Math.cos(angle), r * Math.sin(angle));
    }
    pen.closePath();
  };

  // A light around the origin of an empty canvas, so strong within `inner` and gone at `outer`. A
  // gradient to "transparent" would go by way of grey.
  const drawGlow = (pen, color, strength, inner, outer) => {
    pen.fillStyle = color;
    pen.fillRect(-outer, -outer, 2 * outer, 2 * outer);
    const fading = pen.createRadialGradient(0, 0, inner, 0, 0, outer);
    fading.addColorStop(0, `rgb(0 0 0 / ${strength})`);
    fading.addColorStop(1, "transparent");
    pen.globalCompositeOperation = "destination-in";
    pen.fillStyle = fading;
    pen.fillRect(-outer, -outer, 2 * outer, 2 * outer);
    pen.globalCompositeOperation = "source-over";
  };

  // A star drawn once, to be stamped thousands of times.
  const sprite = (mark, r) => {
    const name = `${mark.name} ${r}`;
    if (!sprites.has(name)) sprites.set(name, drawStar(mark, r));
    return sprites.get(name);
  };
  const density = Math.min(devicePixelRatio || 1, 2);
  const drawStar = ({ color, shape }, r) => {
    const half = Math.ceil(2.4 * r + 2);
    const canvas = new OffscreenCanvas(2 * half * density, 2 * half * density);
    const pen = canvas.getContext("2d");
    pen.scale(density, density);
    pen.translate(half, half);
    if (r > 2.5) drawGlow(pen, color, 0.3, r * 0.6, 2.4 * r);
    pen.beginPath();
    outline[shape](pen, r);
    pen.fillStyle = color;
    pen.fill();
    if (r > 1.8) {
      pen.lineWidth = 0.75;
      pen.strokeStyle = colors.edge;
      pen.stroke();
    }
    return { canvas, half };
  };

  // Where films are ------------------------------------------------------------------------------

  // The films of each cell of a grid, the faintest first, so that the bright ones are drawn on top.
  const CELLS = 64;
  const cell = (place) => Math.max(0, Math.min(CELLS - 1, Math.floor((place * CELLS) / side)));
  const cells = Array.from({ length: CELLS * CELLS }, () => []);
  for (let film = count - 1; film >= 0; film--) {
    cells[cell(films.y[film]) * CELLS + cell(films.x[film])].push(film);
  }
  function* filmsIn(left, bottom, right, top) {
    for (let row = cell(bottom); row <= cell(top); row++) {
      for (let column = cell(left); column <= cell(right); column++) yield* cells[row * CELLS + column];
    }
  }

  // The map --------------------------------------------------------------------------------------

  // Where nearly all of the best-known films lie, in one direction.
  const extent = (places) => {
    const known = places.slice(0, films.title.length).sort((a, b) => a - b);
    const cut = Math.floor(known.length / 100);
    return [known[cut], known.at(-1 - cut)];
  };
  const middleOf = ([first, last]) => (first + last) / 2;
  const lengthOf = ([first, last]) => Math.max(last - first, side / 10);
  const across = extent(films.x);
  const upwards = extent(films.y);
  // At zoom 0 these fill the map: so many pixels a unit.
  const unit =
    0.9 * Math.min(ground.clientWidth / lengthOf(across), ground.clientHeight / lengthOf(upwards));
  const pixels = (zoom) => unit * 2 ** zoom;
  const point = (x, y) => L.latLng(y, x);
  const place = (film) => point(films.x[film], films.y[film]);
  const map = L.map(ground, {
    crs: L.extend({}, L.CRS.Simple, { transformation: new L.Transformation(unit, 0, -unit, 0) }),
    center: point(middleOf(across), middleOf(upwards)),
    zoom: 0,
    minZoom: 0,
    maxZoom: 6,
    maxBounds: L.latLngBounds(point(-side, -side), point(2 * side, 2 * side)),
    attributionControl: false,
    zoomAnimation: !still,
    fadeAnimation: !still,
    markerZoomAnimation: !still,
    inertia: !still,
    wheelPxPerZoomLevel: 100,
  });

  // Smaller where the whole map is small.
  const fine = Math.max(0.6, Math.min(1, (unit * side) / 650));
  const radius = (film, zoom) =>
    Math.round(4 * fine * (0.55 + 0.42 * magnitude[film]) * (1 + 0.2 * zoom)) / 4;

  const drawFilm = (pen, film, x, y, zoom) => {
    const r = radius(film, zoom);
    const mark = marks[film];
    if (r < 1.3) {
      pen.globalAlpha = magnitude[film] ? 0.75 : 0.4;
      pen.fillStyle = mark.color;
      pen.fillRect(x - r, y - r, 2 * r, 2 * r);
    } else {
      pen.globalAlpha = 0.92;
      const { canvas, half } = sprite(mark, r);
      pen.drawImage(canvas, x - half, y - half, 2 * half, 2 * half);
    }
    if (rated.has(film)) drawRing(pen, x, y, r);
  };
  const drawRing = (pen, x, y, r) => {
    pen.globalAlpha = 1;
    pen.strokeStyle = colors.ring;
    pen.lineWidth = 1.75;
    pen.beginPath();
    pen.arc(x, y, r + 3.5, 0, 2 * Math.PI);
    pen.stroke();
  };
  const drawDimmed = (pen, x, y) => {
    pen.globalAlpha = 0.12;
    pen.fillStyle = colors.plain;
    pen.fillRect(x - 0.75, y - 0.75, 1.5, 1.5);
  };

  const TILE = 512;
  const MARGIN = 24; // Pixels that a star reaches over the edge of its tile.
  const drawTile = (canvas, { x: column, y: row, z: zoom }) => {
    const scale = pixels(zoom);
    const pen = canvas.getContext("2d");
    pen.setTransform(density, 0, 0, density, 0, 0);
    pen.clearRect(0, 0, TILE, TILE);
    const left = column * TILE;
    const top = row * TILE;
    const inside = filmsIn(
      (left - MARGIN) / scale,
      -(top + TILE + MARGIN) / scale,
      (left + TILE + MARGIN) / scale,
      -(top - MARGIN) / scale,
    );
    const lit = [];
    for (const film of inside) {
      if (isLit(film)) lit.push(film);
      // Those that nobody has rated lie so close that they would shine together.
      else if (magnitude[film]) drawDimmed(pen, films.x[film] * scale - left, -films.y[film] * scale - top);
    }
    for (const film of lit) drawFilm(pen, film, films.x[film] * scale - left, -films.y[film] * scale - top, zoom);
  };

  // Tiles are drawn a few milliseconds a frame, so that nothing waits for all of them.
  const BUSY = 6;
  const waiting = [];
  const drawWaiting = (started) => {
    while (waiting.length && performance.now() - started < BUSY) waiting.shift()();
    if (waiting.length) requestAnimationFrame(drawWaiting);
  };
  const whenThereIsTime = (draw) => {
    if (waiting.push(draw) === 1) requestAnimationFrame(drawWaiting);
  };

  const tiles = new Map();
  const Stars = L.GridLayer.extend({
    createTile(coords, done) {
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = TILE * density;
      tiles.set(canvas, coords);
      whenThereIsTime(() => {
        if (tiles.has(canvas)) drawTile(canvas, coords);
        done(null, canvas);
      });
      return canvas;
    },
  });
  const stars = new Stars({ tileSize: TILE, keepBuffer: 1, minZoom: 0, maxZoom: 6 });
  stars.on("tileunload", ({ tile }) => tiles.delete(tile));
  const repaint = () => tiles.forEach((coords, canvas) => whenThereIsTime(() => drawTile(canvas, coords)));

  // The light of films that lie together: drawn once, small and soft, and stretched beneath the stars.
  const HAZE = 320; // Pixels a side.
  const GLOW = 11; // Pixels that the light of one film reaches.
  const BORDER = 0.15 * side; // So far over the map's edge it goes.
  const haze = document.createElement("canvas");
  haze.width = haze.height = HAZE;
  haze.className = "sky__haze";
  const drawHaze = () => {
    const pen = haze.getContext("2d");
    pen.clearRect(0, 0, HAZE, HAZE);
    for (let film = 0; film < films.title.length; film++) {
      if (!isLit(film)) continue;
      const x = ((films.x[film] + BORDER) / (side + 2 * BORDER)) * HAZE;
      const y = ((side + BORDER - films.y[film]) / (side + 2 * BORDER)) * HAZE;
      pen.drawImage(glow(marks[film]), x - GLOW, y - GLOW);
    }
  };
  const glow = ({ name, color }) => {
    const kept = `glow ${name}`;
    if (!sprites.has(kept)) {
      const canvas = new OffscreenCanvas(2 * GLOW, 2 * GLOW);
      const pen = canvas.getContext("2d");
      pen.translate(GLOW, GLOW);
      drawGlow(pen, color, 0.07, 0, GLOW);
      sprites.set(kept, canvas);
    }
    return sprites.get(kept);
  };
  map.createPane("haze").style.zIndex = 150;
  // Leaflet takes whatever element it is given here, and moves it with the map.
  const light = L.svgOverlay(haze, L.latLngBounds(point(-BORDER, -BORDER), point(side + BORDER, side + BORDER)), { pane: "haze" });
  // From near it would be a blur, and as large as it is stretched.
  const showHaze = () => (haze.hidden = map.getZoom() > 3);

  const constellations = L.polyline(
    regions.flatMap(({ stars, lines }) => lines.map((ends) => ends.map((end) => place(stars[end])))),
    { className: "sky__lines", interactive: false, renderer: L.svg({ padding: 0.5 }), smoothFactor: 0 },
  );

  // Names, the greatest first, where they do not stand on one another -------------------------------

  const ruler = new OffscreenCanvas(1, 1).getContext("2d");
  const widths = new Map();
  const widthOf = (text, font, spacing = 0) => {
    const kept = `${font} ${text}`;
    if (!widths.has(kept)) {
      ruler.font = font;
      widths.set(kept, ruler.measureText(text).width + spacing * text.length);
    }
    return widths.get(kept);
  };
  const widthOfTitle = (title) => widthOf(title, "600 12px Manrope, sans-serif");
  const widthOfRegion = ([what, when], size) =>
    Math.max(
      widthOf(what.toUpperCase(), `${size}px 'Fjalla One', sans-serif`, 0.14 * size),
      // With a rule on each side of it.
      when ? widthOf(when.toUpperCase(), "700 10px Manrope, sans-serif", 2) + 52 : 0,
    );
  // The regions of the best-known films come first, and are written larger where there is room.
  const sizeOf = (at, view) => {
    const sizes = view.x < 600 ? [18, 14] : [24, 18];
    return sizes[Math.floor(at / 4)] ?? 14;
  };
  const names = L.layerGroup();
  const clashes = (box, others) =>
    others.some((o) => box.left < o.right && o.left < box.right && box.top < o.bottom && o.top < box.bottom);

  const span = (text, kind) => Object.assign(document.createElement("span"), { textContent: text, className: kind });
  const setName = (words, kind, at, box, taken) => {
    if (clashes(box, taken)) return false;
    taken.push(box);
    const label = document.createElement("span");
    label.append(...words);
    const origin = map.latLngToContainerPoint(at);
    const icon = L.divIcon({
      className: `sky__name sky__name--${kind}`,
      html: label,
      iconSize: null,
      iconAnchor: [origin.x - box.left, origin.y - box.top],
    });
    names.addLayer(L.marker(at, { icon, interactive: false, keyboard: false }));
    return true;
  };
  // "Horror, 1980s": what the films are, and beneath it when, or which film they lie around.
  const wordsOf = (name) => {
    const [words, near] = name.split(", around ");
    if (words.startsWith("Around ")) return [words.slice("Around ".length), "and its like"];
    const [what, when] = words.split(", ");
    return [what, when ?? (near ? `around ${near}` : "")];
  };
  const nameRegion = ({ name, x, y }, size, view, taken) => {
    const [what, when] = wordsOf(name);
    const at = map.latLngToContainerPoint(point(x, y));
    const half = widthOfRegion([what, when], size) / 2;
    const high = 0.6 * size + (when ? 8 : 0);
    if (at.x < half || at.x > view.x - half || at.y < high || at.y > view.y - high) return;
    const box = { left: at.x - half, right: at.x + half, top: at.y - high, bottom: at.y + high };
    const words = [span(what, `sky__what sky__what--${size}`)];
    if (when) words.push(span(when, "sky__when"));
    setName(words, "region", point(x, y), box, taken);
  };
  const nameFilm = (film, view, taken) => {
    const at = map.latLngToContainerPoint(place(film));
    const left = at.x + radius(film, map.getZoom()) + 5;
    const right = left + widthOfTitle(films.title[film]) + 6;
    if (at.x < 0 || right > view.x || at.y < 8 || at.y > view.y - 8) return false;
    return setName([films.title[film]], "film", place(film), { left, right, top: at.y - 9, bottom: at.y + 9 }, taken);
  };
  const setNames = () => {
    names.clearLayers();
    const view = map.getSize();
    const taken = [{ left: 0, right: 64, top: 0, bottom: 112 }]; // The buttons.
    if (!chosen) regions.forEach((region, at) => nameRegion(region, sizeOf(at, view), view, taken));
    let room = Math.round((view.x * view.y) / (map.getZoom() ? 14000 : 45000));
    for (let film = 0; film < films.title.length && room > 0; film++) {
      if (isLit(film) && nameFilm(film, view, taken)) room--;
    }
  };

  // Cards: what a film is ------------------------------------------------------------------------

  const cards = new Map();
  const card = (film) => {
    if (!cards.has(film)) {
      const address = root.dataset.film.replace("/0/", `/${films.id[film]}/`);
      cards.set(film, fetch(address).then((answer) => answer.text()));
    }
    return cards.get(film);
  };
  const element = (html) => document.createRange().createContextualFragment(html).querySelector("article");
  const titleOf = (content) => content.querySelector(".sky-film__title").textContent;
  const hint = L.tooltip({ className: "sky__card", direction: "auto", offset: [14, 0], opacity: 1 });
  const popup = L.popup({ className: "sky__card", minWidth: 150, maxWidth: 190, autoPanPadding: [16, 16] });

  let pointed = null; // The film that the hint is of.
  const pointAt = async (film) => {
    if (film === pointed) return;
    pointed = film;
    ground.classList.toggle("sky__map--on-film", film !== null);
    if (film === null) return hint.remove();
    const html = await card(film);
    if (film === pointed) hint.setLatLng(place(film)).setContent(element(html)).openOn(map);
  };
  let opened = null;
  const open = async (film) => {
    pointAt(null);
    opened = film;
    const content = element(await card(film));
    popup.setLatLng(place(film)).setContent(content).openOn(map);
    return titleOf(content);
  };
  const visit = async (film) => {
    location.assign(element(await card(film)).querySelector("a").href);
  };

  const REACH = { mouse: 12, touch: 24 };
  // With a `pull`, a well-known film is nearer than it is.
  const nearest = (at, reach, pull = 0) => {
    const { lat: y, lng: x } = map.containerPointToLatLng(at);
    const far = reach / pixels(map.getZoom());
    let best = null;
    let least = reach;
    for (const film of filmsIn(x - far, y - far, x + far, y + far)) {
      const away =
        at.distanceTo(map.latLngToContainerPoint(place(film))) -
        radius(film, map.getZoom()) -
        pull * magnitude[film];
      if (isLit(film) && away <= least) [best, least] = [film, away];
    }
    return best;
  };

  let pointer = "mouse";
  ground.addEventListener("pointerdown", ({ pointerType }) => (pointer = pointerType === "mouse" ? "mouse" : "touch"), true);
  map.on("mousemove", ({ containerPoint }) => pointer === "mouse" && pointAt(nearest(containerPoint, REACH.mouse)));
  map.on("mouseout movestart zoomstart", () => pointAt(null));
  map.on("click", ({ containerPoint }) => {
    const film = nearest(containerPoint, REACH[pointer]);
    if (film === null) return;
    if (pointer === "mouse") visit(film);
    else open(film);
  });

  // Keys: the film in the middle is the one that is meant ------------------------------------------

  const say = (text) => (root.querySelector("[data-say]").textContent = text);
  const inTheMiddle = () => (popup.isOpen() ? opened : nearest(map.getSize().divideBy(2), 120, 4));
  let isOnTheWay = false;
  const tellTheMiddle = async () => {
    if (!ground.matches(":focus-visible") || popup.isOpen() || isOnTheWay) return;
    const film = inTheMiddle();
    await pointAt(film);
    if (film !== null && film === pointed) say(titleOf(element(await card(film))));
  };
  ground.setAttribute("role", "application");
  ground.addEventListener("focus", tellTheMiddle);
  ground.addEventListener(
    "keydown",
    ({ key, target }) => {
      if (target !== ground) return;
      if (key.startsWith("Arrow")) map.closePopup();
      const film = key === "Enter" ? inTheMiddle() : null;
      if (film !== null) visit(film);
    },
    true,
  );

  // Ways to a place --------------------------------------------------------------------------------

  const fly = (at, zoom) => {
    isOnTheWay = true;
    map.closePopup();
    ground.scrollIntoView({ block: "center", behavior: still ? "auto" : "smooth" });
    ground.focus({ preventScroll: true });
    return new Promise((resolve) => {
      map.once("moveend", () => {
        isOnTheWay = false;
        resolve();
      });
      if (still) map.setView(at, zoom, { animate: false });
      else map.flyTo(at, zoom, { duration: 1.2 });
    });
  };
  const goToFilm = async (id) => {
    const film = positions.get(id);
    if (film === undefined) return say("This film has no place on the map yet. It gets one with the next training.");
    await fly(place(film), Math.max(map.getZoom(), 4));
    say(`${await open(film)} is in the middle of the map.`);
  };
  const goToRegion = async ({ name, x, y }) => {
    await fly(point(x, y), 2);
    say(`${name}: in the middle of the map.`);
  };
  // The address says where to go: #film=ID, or #region=NUMBER.
  const go = () => {
    const [kind, number] = location.hash.slice(1).split("=");
    if (kind === "film") goToFilm(Number(number));
    if (kind === "region" && regions[number]) goToRegion(regions[number]);
  };
  addEventListener("hashchange", go);
  document.addEventListener("click", ({ target }) => {
    const link = target.closest?.('a[href^="#film="], a[href^="#region="]');
    if (link?.hash === location.hash) go();
    if (link && root.contains(link)) link.closest(".search__suggestions").replaceChildren();
  });

  // The search box: Enter goes to the chosen film, or to the first.
  const form = root.querySelector("form");
  const input = form.querySelector("input");
  const list = form.querySelector(".search__suggestions");
  const { options, chosen: chosenOption } = combobox(input, list);
  const listChanged = () => {
    input.setAttribute("aria-expanded", String(options().length > 0));
    input.removeAttribute("aria-activedescendant");
  };
  input.setAttribute("aria-controls", list.id);
  listChanged();
  new MutationObserver(listChanged).observe(list, { childList: true });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !options().length) return;
    list.replaceChildren();
    event.preventDefault();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    options()[Math.max(0, chosenOption())]?.querySelector("a").click();
  });

  // The legend -------------------------------------------------------------------------------------

  const redraw = () => {
    drawHaze();
    repaint();
    setNames();
  };
  const choose = (key) => {
    chosen = key === chosen ? null : key;
    root.querySelectorAll("[data-key]").forEach((each) => each.setAttribute("aria-pressed", String(each === chosen)));
    redraw();
  };
  const colorBy = (kind) => {
    by = kind;
    root.querySelectorAll("[data-keys]").forEach((list) => (list.hidden = list.dataset.keys !== kind));
    look();
    if (chosen && chosen.dataset.key !== "rated") choose(chosen);
    else redraw();
  };
  root.addEventListener("click", ({ target }) => {
    const key = target.closest("[data-key]");
    if (key) choose(key);
  });
  root.addEventListener("change", ({ target }) => target.name === "by" && colorBy(target.value));
  const anew = () => {
    look();
    drawHaze();
    repaint();
  };
  new MutationObserver(anew).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", anew);

  look();
  drawHaze();
  light.addTo(map);
  constellations.addTo(map);
  stars.addTo(map);
  names.addTo(map);
  map.on("zoomend", showHaze);
  map.on("moveend", () => {
    setNames();
    tellTheMiddle();
  });
  document.fonts.ready.then(() => {
    widths.clear();
    setNames();
  });
  go();
  root.dataset.map = "ready";
});
