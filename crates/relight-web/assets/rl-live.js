// Live updates: one event stream, closed while the page is hidden. A page whose stream is silent
// says so: a frozen wall must never look like a calm one.

const SILENCE_MS_MAX = 15_000;
const SPEECH_MS_MIN = 30_000;
const BACK_MS = 3000;
const LOG_ROWS_MAX = 200;

/** The time of day in UTC, as every other page has it. @param {string} at RFC 3339 */
const clock = (at) => at.slice(11, 19);

/** The same of a moment that is known here. @param {Date} date @param {string} lang */
function hour(date, lang) {
  const minutes = String(date.getUTCMinutes()).padStart(2, '0');
  const hours = date.getUTCHours();
  return lang === 'fr' ? `${hours}\u00a0h\u00a0${minutes} UTC` : `${hours}:${minutes} UTC`;
}

/** Gives a list one row for each key, in that order. Rows that stay are never taken out of the page,
 * because that would take the focus from them.
 * @param {Element} list @param {string[]} keys
 * @param {(key: string) => Element} make @param {(row: Element, at: number) => void} show */
function fill(list, keys, make, show) {
  const known = new Map([...list.children].map((row) => [row.dataset.key, row]));
  for (const [key, row] of known) if (!keys.includes(key)) row.remove();
  const stood = document.activeElement;
  keys.forEach((key, at) => {
    const row = known.get(key) ?? make(key);
    row.dataset.key = key;
    if (list.children[at] !== row) list.insertBefore(row, list.children[at] ?? null);
    show(row, at);
  });
  if (stood !== document.activeElement && list.contains(stood)) stood.focus({ preventScroll: true });
}

/** @param {Element} place @param {string} text */
function put(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

function element(name, below = []) {
  const made = document.createElement(name);
  made.append(...below);
  return made;
}

/** A row as the server writes it, with nothing in it yet. @param {Element} panel */
const blank = (panel) => panel.querySelector('template').content.firstElementChild.cloneNode(true);

function fillQueueRow(row, [evidence, count, then, returns, href]) {
  [count, evidence, then].forEach((text, at) => put(row.children[at], text));
  if (row.children[1].getAttribute('href') !== href) row.children[1].setAttribute('href', href);
  row.classList.toggle('held', !returns);
}

const SVG = document.querySelector('svg').namespaceURI;

function drawn(name, attributes, below = []) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...below);
  return made;
}

/** The number of an event on the line of the burn-down. */
const mark = ([x, y], at) => drawn('g', { class: 'c-event', transform: `translate(${x} ${y})` },
  [drawn('circle', { r: '8' }), drawn('text', { class: 'c-middle', y: '4' }, [String(at + 1)])]);

/** The same event in words. */
function told([, , at, when, text]) {
  const time = element('time', [when]);
  time.dateTime = at;
  return element('li', [time, ` ${text}`]);
}

function fillTodoRow(row, { slug, href, letter, vital, cells }) {
  const box = row.querySelector('.pick input');
  if (box) {
    box.name = `pick.${slug}`;
    box.ariaLabel = slug;
  }
  const link = row.querySelector('a');
  put(link, slug);
  if (link.getAttribute('href') !== href) link.setAttribute('href', href);
  row.querySelector('use').setAttribute('href', `#s-${letter}`);
  row.classList.toggle('vital', vital);
  row.querySelectorAll('th ~ td').forEach((cell, at) => {
    const place = cell.lastElementChild ?? cell;
    put(place, cells[at]);
    // What may be cut off is read under the pointer.
    if (place.hasAttribute('title')) place.title = cells[at];
  });
}

class Live extends HTMLElement {
  connectedCallback() {
    this.cursor = this.dataset.cursor;
    this.heard = Date.now();
    this.spoken = this.heard;
    this.wall = document.querySelector('rl-wall');
    this.log = document.querySelector('.log');
    document.addEventListener('visibilitychange', () => {
      this.back = Date.now();
      this.follow();
    });
    setInterval(() => this.watch(), 1000);
    const body = document.querySelector('.todo tbody');
    for (const left of ['pointerleave', 'focusout']) {
      body?.addEventListener(left, () => setTimeout(() => this.next && this.queue(this.next)));
    }
    this.follow();
  }

  follow() {
    this.stream?.close();
    this.stream = null;
    if (document.hidden) return;
    const lang = document.documentElement.lang;
    const { topic = '' } = this.dataset;
    // What the page was asked for is part of what it shows.
    const asked = new URLSearchParams(topic && location.search);
    for (const [name, value] of Object.entries({ lang, topic, since: this.cursor ?? '' })) {
      asked.set(name, value);
    }
    const stream = new EventSource(`/events?${asked}`);
    this.stream = stream;
    const on = (name, act) => stream.addEventListener(name, (event) => {
      this.heard = Date.now();
      this.full = false;
      if (event.lastEventId) this.cursor = event.lastEventId;
      act(JSON.parse(event.data));
      this.mode(this.old ? 'old' : 'on');
    });
    on('light', (data) => this.wall?.change(data.c));
    on('counts', (data) => this.counts(data));
    on('log', (data) => this.line(data));
    on('chart', (data) => this.chart(data));
    on('queue', (data) => { this.next = data; this.queue(data); });
    on('waits', (data) => this.waits(data));
    stream.addEventListener('error', () => this.fail(stream));
    on('reset', () => location.reload());
    // Not loaded by itself: that would keep an unused sign-in alive.
    on('page', ({ shown }) => { this.old = shown !== this.dataset.shown; });
  }

  /** A stream does not say why it was refused; whoever has too many is told so. */
  async fail(stream) {
    // One that tries again by itself has lost its server.
    const isRefused = stream.readyState === EventSource.CLOSED;
    const answer = isRefused ? await fetch(stream.url, { method: 'HEAD' }).catch(() => null) : null;
    this.full = answer?.status === 429;
    if (this.full && stream === this.stream) this.mode('full');
  }

  watch() {
    // Who comes back to a page waits until its stream may have told something.
    if (document.hidden || Date.now() - this.back < BACK_MS) return;
    if (!this.full && Date.now() - this.heard > SILENCE_MS_MAX) this.mode('frozen');
    // A browser gives up for good when the answer is an error; we do not.
    const isDue = Math.random() < (this.full ? 0.02 : 0.2);
    if (this.stream?.readyState === EventSource.CLOSED && isDue) this.follow();
  }

  /** @param {'on' | 'old' | 'frozen' | 'full'} mode */
  mode(mode) {
    if (this.dataset.mode === mode) return;
    this.dataset.mode = mode;
    const since = hour(new Date(this.heard), document.documentElement.lang);
    const words = (name) => (this.dataset[name] ?? '').replace('%time%', since);
    const text = words(mode);
    this.textContent = text;
    if (mode === 'old') {
      const link = element('a', [this.dataset.show]);
      link.href = location.href;
      // An address that ends with what is checked is loaded by nothing else.
      link.addEventListener('click', (event) => {
        event.preventDefault();
        location.reload();
      });
      this.append(' ', link);
    }
    document.body.classList.toggle('frozen', ['frozen', 'full'].includes(mode));
    const note = document.querySelector('.frozen-note');
    if (note) {
      note.textContent = words(`${mode}Note`);
      note.hidden = !note.textContent;
    }
    if (mode !== 'on') this.speak(text, true);
  }

  counts(data) {
    for (const [key, text] of Object.entries(data.t)) {
      for (const place of document.querySelectorAll(`[data-t="${key}"]`)) put(place, text);
    }
    const alarm = document.querySelector('.counters .alarm');
    if (alarm) {
      if (alarm.hidden && data.alarm) this.speak(data.alarm_sentence, true);
      alarm.hidden = !data.alarm;
    }
    document.querySelectorAll('[data-from]').forEach((row, at) => {
      const [text, lit, todo, sentence] = data.x[at] ?? [];
      if (text === undefined || row.dataset.shown === sentence) return;
      row.dataset.shown = sentence;
      row.querySelector('.count').textContent = text;
      row.querySelector('.sentence').textContent = sentence;
      row.querySelector('.b-lit').setAttribute('width', String(lit));
      const bar = row.querySelector('.b-todo');
      bar.setAttribute('x', String(1000 - todo));
      bar.setAttribute('width', String(todo));
    });
    this.speak(data.summary, false);
  }

  /** Fills the burn-down: paths, and texts at their places. */
  chart(data) {
    const panel = document.querySelector('.burn');
    if (!panel) return;
    panel.hidden = data.sentence === '';
    panel.querySelector('[data-burn="pace"]').textContent = data.pace;
    panel.querySelector('[data-burn="sentence"]').textContent = data.sentence;
    for (const path of panel.querySelectorAll('[data-path]')) {
      path.setAttribute('d', data.paths[path.dataset.path]);
    }
    panel.querySelectorAll('.c-row').forEach((row, at) => { row.textContent = data.rows[at][1]; });
    panel.querySelectorAll('.c-column').forEach((column, at) => {
      column.setAttribute('x', data.columns[at][0]);
      column.textContent = data.columns[at][1];
    });
    panel.querySelector('[data-burn="marks"]').replaceChildren(...data.events.map(mark));
    panel.querySelector('[data-burn="events"]').replaceChildren(...data.events.map(told));
  }

  /** Fills the two lists of what is next, row by row: whoever stands on a row stays on it. */
  queue(data) {
    const queue = document.querySelector('.queue');
    if (queue) {
      queue.hidden = data.queue.length === 0;
      fill(queue.querySelector('ul'), data.queue.map((row) => row[0]), () => blank(queue),
        (row, at) => fillQueueRow(row, data.queue[at]));
    }
    const todo = document.querySelector('.todo');
    if (todo) {
      const body = todo.querySelector('tbody');
      // Nothing moves under the hand of somebody who checks boxes: what is new comes below.
      if (body.matches(':hover, :has(:focus-visible)')) {
        const there = [...body.children].map((row) => row.dataset.key);
        const place = ({ slug }) => there.indexOf(slug) >>> 0;
        data = { ...data, todo: data.todo.toSorted((a, b) => place(a) - place(b)) };
      }
      const stood = body.contains(document.activeElement);
      fill(body, data.todo.map(({ slug }) => slug), () => blank(todo),
        (row, at) => fillTodoRow(row, data.todo[at]));
      // The row is gone because it was dealt with: the table is still the place.
      if (stood && !body.contains(document.activeElement)) todo.querySelector('.wide').focus();
      todo.hidden = data.todo.length === 0;
    }
  }

  /** Plans that wait, and broken glass. What is asked of this reader is spoken at once. */
  waits({ plans, asked, glass }) {
    const told = document.querySelector('.glass-told');
    if (told) told.hidden = !glass;
    const link = document.querySelector('a.waits');
    if (link) {
      put(link, plans || link.dataset.none);
      for (const name of ['button', 'wait']) link.classList.toggle(name, plans !== '');
    }
    // A list begins with what waited when it was opened.
    const known = this.asked ?? link?.dataset.asked ?? asked;
    if (asked && asked !== known) this.speak(asked, true);
    this.asked = asked;
  }

  line(data) {
    if (!this.log) return;
    document.querySelector('.log-empty')?.remove();
    const time = element('time', [clock(data.at)]);
    time.dateTime = data.at;
    const row = element('li', [time, element('span', [data.text])]);
    row.className = 'new';
    this.log.prepend(row);
    while (this.log.children.length > LOG_ROWS_MAX) this.log.lastElementChild.remove();
  }

  /** The one live region: at most a sentence in 30 s, urgent ones at once.
   * @param {string} sentence @param {boolean} urgent */
  speak(sentence, urgent) {
    const region = document.querySelector('[role="status"]');
    if (!region || region.textContent === sentence) return;
    if (!urgent && Date.now() - this.spoken < SPEECH_MS_MIN) return;
    this.spoken = Date.now();
    region.textContent = sentence;
  }
}

customElements.define('rl-live', Live);
