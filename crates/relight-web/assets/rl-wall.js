// The wall of lights: one cell per site on a canvas, packed in one labelled block per sector.
// Only cells that change are painted again. Cells never move while the page lives, except where they
// stand by their states: there they do now and then, while nobody points at one.

const LABEL = 17;
const GAP = 8;
const PITCH_MAX = 22;
const PITCH_MIN = 3;
/** Lights that changed find their places by state after this long. */
const SORT_MS = 2000;
/** What asks for a person first. */
const STATES = 'eqaxvndfo';

/** Packs blocks into `columns` columns at one pitch, biggest first, or says that they don't fit.
 * @param {{count: number}[]} blocks @param {number} columns @param {number} pitch
 * @param {number} width @param {number} height */
export function pack(blocks, columns, pitch, width, height) {
  const across = Math.floor((width - GAP * (columns - 1)) / columns);
  const perRow = Math.floor(across / pitch);
  if (perRow < 1) return null;
  const used = new Array(columns).fill(0);
  const places = new Array(blocks.length);
  const order = blocks.map((_, at) => at).sort((a, b) => blocks[b].count - blocks[a].count || a - b);
  for (const at of order) {
    const tall = LABEL + Math.ceil(blocks[at].count / perRow) * pitch + GAP;
    const column = used.findIndex((top) => top + tall - GAP <= height);
    if (column < 0) return null;
    places[at] = { x: column * (across + GAP), y: used[column], w: across, h: tall - GAP, perRow };
    used[column] += tall;
  }
  return { places, pitch };
}

/** The packing with the widest pitch that is a whole number of device pixels, so that shapes
 * stay sharp.
 * @param {{count: number}[]} blocks @param {number} width @param {number} height
 * @param {number} scale */
export function layout(blocks, width, height, scale) {
  for (let pixels = Math.floor(PITCH_MAX * scale); pixels >= PITCH_MIN * scale; pixels -= 1) {
    for (let columns = 1; columns <= blocks.length; columns += 1) {
      const grid = pack(blocks, columns, pixels / scale, width, height);
      if (grid) return grid;
    }
  }
  return null;
}

/** @param {CanvasRenderingContext2D} c @param {number} x @param {number} y @param {number} r */
function diamond(c, x, y, r) {
  c.beginPath();
  c.moveTo(x, y - r); c.lineTo(x + r, y); c.lineTo(x, y + r); c.lineTo(x - r, y);
  c.closePath();
}

function disc(c, x, y, r) {
  c.beginPath();
  c.arc(x, y, r, 0, Math.PI * 2);
}

/** Draws one state in a box of side `p` whose corner is the origin.
 * @param {CanvasRenderingContext2D} c @param {string} letter @param {number} p
 * @param {Record<string, string>} ink */
function shape(c, letter, p, ink) {
  const m = p / 2, r = p * 0.36;
  if ('oqef'.includes(letter)) {
    if (letter === 'o') {
      const glow = c.createRadialGradient(m, m, r * 0.6, m, m, p * 0.62);
      glow.addColorStop(0, ink.online + '66');
      glow.addColorStop(1, ink.online + '00');
      c.fillStyle = glow;
      c.fillRect(0, 0, p, p);
    }
    c.fillStyle = ink.online;
    disc(c, m, m, r * (letter === 'o' ? 1 : 1.15)); c.fill();
  }
  if (letter === 'f') {
    c.fillStyle = ink.wall;
    disc(c, m, m, r * 0.55); c.fill();
  } else if (letter === 'q') {
    for (const [colour, width] of [[ink.wall, 0.34], [ink.white, 0.15]]) {
      c.strokeStyle = colour; c.lineWidth = p * width;
      c.beginPath(); c.moveTo(p * 0.08, p * 0.92); c.lineTo(p * 0.92, p * 0.08); c.stroke();
    }
  } else if (letter === 'e') {
    // The one state that must be found at a glance: lit, red inside, in a white frame.
    c.fillStyle = ink.white;
    c.fillRect(0, 0, p, p);
    c.fillStyle = ink.wall;
    c.fillRect(p * 0.1, p * 0.1, p * 0.8, p * 0.8);
    c.fillStyle = ink.online;
    disc(c, m, m, p * 0.39); c.fill();
    diamond(c, m, m, p * 0.33); c.fillStyle = ink.exposed; c.fill();
  } else if (letter === 'v') {
    c.fillStyle = ink.verifying;
    c.beginPath();
    c.moveTo(m, p * 0.12); c.lineTo(p * 0.9, p * 0.84); c.lineTo(p * 0.1, p * 0.84);
    c.closePath(); c.fill();
  } else if (letter === 'x') {
    diamond(c, m, m, r * 1.05);
    c.strokeStyle = ink.fixing; c.lineWidth = Math.max(1.1, p * 0.14); c.stroke();
  } else if (letter === 'a') {
    diamond(c, m, m, r * 1.2); c.fillStyle = ink.affected; c.fill();
    c.strokeStyle = ink.white; c.lineWidth = Math.max(0.9, p * 0.1); c.stroke();
  } else if (letter === 'n') {
    c.strokeStyle = ink.analysing; c.lineWidth = Math.max(1, p * 0.11);
    disc(c, m, m, r * 0.95); c.stroke();
    c.fillStyle = ink.analysing;
    c.beginPath(); c.arc(m, m, r * 0.95, Math.PI / 2, Math.PI * 1.5); c.fill();
  } else if (letter === 'd') {
    c.strokeStyle = ink.dark; c.lineWidth = Math.max(1, p * 0.12);
    disc(c, m, m, r * 0.9); c.stroke();
  }
}

class Wall extends HTMLElement {
  connectedCallback() {
    this.letters = (this.dataset.w ?? '').split('');
    this.blocks = Array.from(document.querySelectorAll('[data-from]'), (row) => ({
      from: Number(row.dataset.from), count: Number(row.dataset.count),
      name: row.dataset.name ?? '', row,
    }));
    [this.canvas, this.cursor] = this.children;
    this.canvas.hidden = false;
    this.canvas.addEventListener('keydown', (event) => this.key(event));
    this.canvas.addEventListener('blur', () => { this.cursor.hidden = true; });
    this.tip = document.querySelector('.tip');
    new ResizeObserver(() => this.paint()).observe(this);
    // Colours are read when it is painted.
    for (const what of ['prefers-contrast: more', 'prefers-color-scheme: dark']) {
      matchMedia(`(${what})`).addEventListener('change', () => this.paint());
    }
    this.follow();
    this.canvas.addEventListener('pointermove', (event) => this.point(event));
    this.canvas.addEventListener('pointerleave', () => this.say(-1));
    this.canvas.addEventListener('click', (event) => this.open(this.siteAt(event)));
  }

  /** Paints again on a screen of another sharpness. */
  follow() {
    const same = matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    same.addEventListener('change', () => { this.paint(); this.follow(); }, { once: true });
  }

  /** Goes to the site's page. @param {number} site */
  open(site) {
    if (site < 0) return;
    const lang = document.documentElement.lang;
    location.assign(`/sites?${new URLSearchParams({ lang, site: String(site) })}`);
  }

  /** Arrows move over the cells of a sector, page keys between sectors, Enter opens the site.
   * @param {KeyboardEvent} event */
  key(event) {
    if (!this.grid) return;
    const at = this.owner[this.chosen ?? this.blocks[0].from];
    const block = this.blocks[at], { perRow } = this.grid.places[at];
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -perRow, ArrowDown: perRow }[event.key];
    const turn = { PageUp: -1, PageDown: 1 }[event.key];
    if (event.key === 'Enter') this.open(this.chosen ?? -1);
    else if (turn) this.choose(this.of[(this.blocks[at + turn] ?? block).from]);
    else if (step && this.chosen === undefined) this.choose(this.of[block.from]);
    else if (step) {
      const inside = this.at[this.chosen] - block.from + step;
      if (inside >= 0 && inside < block.count) this.choose(this.of[block.from + inside]);
    } else return;
    event.preventDefault();
  }

  /** @param {number} site */
  choose(site) {
    this.chosen = site;
    const { x, y } = this.corner(site), { style } = this.cursor;
    style.left = `${x}px`;
    style.top = `${y}px`;
    style.width = style.height = `${this.grid.pitch}px`;
    this.cursor.hidden = false;
    this.say(site);
  }

  corner(site) {
    const at = this.owner[site], place = this.grid.places[at], { pitch } = this.grid;
    const inside = this.at[site] - this.blocks[at].from;
    const row = Math.floor(inside / place.perRow);
    return { x: place.x + (inside % place.perRow) * pitch, y: place.y + LABEL + row * pitch };
  }

  /** A light that changes keeps its place; by state for a while only.
   * @param {[number, string][]} changes */
  change(changes) {
    for (const [site, letter] of changes) {
      this.letters[site] = letter;
      if (this.grid) this.cell(site);
    }
    if ('sorted' in this.dataset) this.sorting ??= setTimeout(() => this.settle(), SORT_MS);
  }

  /** Nothing moves under the pointer, nor under the cursor of a keyboard. */
  settle() {
    this.sorting = undefined;
    if (this.cursor.hidden && !this.canvas.matches(':hover')) this.paint();
    else this.change([]);
  }

  paint() {
    const { clientWidth: width, clientHeight: height } = this;
    this.scale = window.devicePixelRatio || 1;
    this.grid = width && height ? layout(this.blocks, width, height, this.scale) : null;
    if (!this.grid) return;
    this.canvas.width = Math.round(width * this.scale);
    this.canvas.height = Math.round(height * this.scale);
    this.context = this.canvas.getContext('2d', { alpha: false });
    this.context.scale(this.scale, this.scale);
    this.ink = this.readInk();
    this.sprites = new Map(Array.from(STATES, (letter) => [letter, this.sprite(letter)]));
    this.context.fillStyle = this.ink.wall;
    this.context.fillRect(0, 0, width, height);
    this.owner = new Array(this.letters.length);
    this.sort();
    this.cursor.hidden = true;
    this.blocks.forEach((block, at) => {
      this.label(block, this.grid.places[at]);
      for (let site = block.from; site < block.from + block.count; site += 1) {
        this.owner[site] = at;
        this.cell(site);
      }
    });
  }

  /** `of`: the site at a place, `at`: the place of a site. */
  sort() {
    const rank = (site) => ('sorted' in this.dataset ? STATES.indexOf(this.letters[site]) : 0);
    this.of = this.letters.map((_, at) => at);
    this.at = [];
    for (const { from, count } of this.blocks) {
      const sites = this.of.slice(from, from + count).sort((a, b) => rank(a) - rank(b));
      this.of.splice(from, count, ...sites);
    }
    this.of.forEach((site, at) => { this.at[site] = at; });
  }

  readInk() {
    const style = getComputedStyle(this);
    const names = ['online', 'verifying', 'fixing', 'affected', 'analysing', 'dark', 'white',
      'exposed'];
    const ink = Object.fromEntries(
      names.map((name) => [name, style.getPropertyValue(`--s-${name}`).trim()]));
    for (const name of ['wall', 'block', 'wall-text']) {
      ink[name] = style.getPropertyValue(`--${name}`).trim();
    }
    return ink;
  }

  sprite(letter) {
    const side = Math.ceil(this.grid.pitch * this.scale);
    const canvas = document.createElement('canvas');
    canvas.width = side;
    canvas.height = side;
    const context = canvas.getContext('2d');
    context.scale(side / this.grid.pitch, side / this.grid.pitch);
    context.fillStyle = this.ink.block;
    context.fillRect(0, 0, this.grid.pitch + 1, this.grid.pitch + 1);
    shape(context, letter, this.grid.pitch, this.ink);
    return canvas;
  }

  label(block, place) {
    const c = this.context;
    c.fillStyle = this.ink.block;
    c.fillRect(place.x, place.y, place.w, place.h);
    c.fillStyle = this.ink['wall-text'];
    c.font = `600 12px ${getComputedStyle(this).fontFamily}`;
    c.textBaseline = 'middle';
    const fits = (text) => c.measureText(text).width <= place.w - 6;
    let text = block.name;
    for (let kept = text.length - 1; kept > 0 && !fits(text); kept -= 1) {
      text = `${block.name.slice(0, kept)}…`;
    }
    c.fillText(text, place.x + 3, place.y + LABEL / 2);
  }

  cell(site) {
    if (this.owner[site] === undefined) return;
    const { x, y } = this.corner(site), { pitch } = this.grid;
    const sprite = this.sprites.get(this.letters[site]);
    if (sprite) this.context.drawImage(sprite, x, y, pitch, pitch);
  }

  /** @param {MouseEvent} event */
  siteAt(event) {
    if (!this.grid) return -1;
    const { pitch, places } = this.grid;
    for (let at = 0; at < places.length; at += 1) {
      const place = places[at];
      const column = Math.floor((event.offsetX - place.x) / pitch);
      const row = Math.floor((event.offsetY - place.y - LABEL) / pitch);
      const inside = row * place.perRow + column;
      if (column >= 0 && column < place.perRow && row >= 0 && inside < this.blocks[at].count) {
        return this.of[this.blocks[at].from + inside];
      }
    }
    return -1;
  }

  /** @param {PointerEvent} event */
  point(event) {
    const site = this.siteAt(event);
    if (site === this.pointed) return;
    this.pointed = site;
    clearTimeout(this.asking);
    this.asking = setTimeout(() => this.say(site), 80);
  }

  /** Asks the server what the pointed cell is. @param {number} site */
  async say(site) {
    this.pointed = site;
    let text = '';
    if (site >= 0) {
      const lang = document.documentElement.lang;
      const answer = await fetch(`/site?${new URLSearchParams({ lang, site: String(site) })}`)
        .catch(() => null);
      if (answer?.ok) text = await answer.text();
    }
    if (this.tip && site === this.pointed) this.tip.textContent = text;
  }
}

customElements.define('rl-wall', Wall);
