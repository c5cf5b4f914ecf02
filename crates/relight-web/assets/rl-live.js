// Live updates: one event stream, closed while the page is hidden. A page whose stream is silent
// says so: a frozen wall must never look like a calm one.

const SILENCE_MS_MAX = 15_000;
const SPEECH_MS_MIN = 30_000;
const LOG_ROWS_MAX = 200;

/** @param {Date} date */
function clock(date) {
  const two = (number) => String(number).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** @param {Date} date @param {string} lang */
function hour(date, lang) {
  const minutes = String(date.getMinutes()).padStart(2, '0');
  return lang === 'fr' ? `${date.getHours()}\u00a0h\u00a0${minutes}` : `${date.getHours()}:${minutes}`;
}

class Live extends HTMLElement {
  connectedCallback() {
    this.cursor = this.dataset.cursor;
    this.heard = Date.now();
    this.spoken = this.heard;
    this.wall = document.querySelector('rl-wall');
    this.log = document.querySelector('.log');
    for (const time of document.querySelectorAll('.log time')) {
      time.textContent = clock(new Date(time.dateTime));
    }
    document.addEventListener('visibilitychange', () => this.follow());
    setInterval(() => this.watch(), 1000);
    this.follow();
  }

  follow() {
    this.stream?.close();
    this.stream = null;
    if (document.hidden) return;
    const lang = document.documentElement.lang;
    const stream = new EventSource(`/events?${new URLSearchParams({ lang, since: this.cursor })}`);
    this.stream = stream;
    const on = (name, act) => stream.addEventListener(name, (event) => {
      this.heard = Date.now();
      if (event.lastEventId) this.cursor = event.lastEventId;
      act(JSON.parse(event.data));
      this.mode('on');
    });
    on('light', (data) => this.wall?.change(data.c));
    on('counts', (data) => this.counts(data));
    on('log', (data) => this.line(data));
    on('chart', (data) => this.chart(data));
    on('reset', () => location.reload());
  }

  watch() {
    if (document.hidden) return;
    if (Date.now() - this.heard > SILENCE_MS_MAX) this.mode('frozen');
    // A browser gives up for good when the answer is an error; we do not.
    if (this.stream?.readyState === EventSource.CLOSED && Math.random() < 0.2) this.follow();
  }

  /** @param {'on' | 'frozen'} mode */
  mode(mode) {
    if (this.dataset.mode === mode) return;
    this.dataset.mode = mode;
    const since = hour(new Date(this.heard), document.documentElement.lang);
    const frozen = (this.dataset.frozen ?? '').replace('%time%', since);
    this.textContent = mode === 'on' ? this.dataset.on ?? '' : frozen;
    document.body.classList.toggle('frozen', mode === 'frozen');
    const note = document.querySelector('.frozen-note');
    if (note) {
      note.hidden = mode === 'on';
      note.textContent = mode === 'on' ? '' : (this.dataset.note ?? '').replace('%time%', since);
    }
    if (mode === 'frozen') this.speak(frozen, true);
  }

  counts(data) {
    for (const [key, text] of Object.entries(data.t)) {
      for (const place of document.querySelectorAll(`[data-t="${key}"]`)) {
        if (place.textContent !== text) place.textContent = text;
      }
    }
    const alarm = document.querySelector('.counters .alarm');
    if (alarm) {
      if (alarm.hidden && data.alarm) this.speak(data.alarm_sentence, true);
      alarm.hidden = !data.alarm;
    }
    document.querySelectorAll('[data-from]').forEach((row, at) => {
      const [text, lit, todo, sentence] = data.x[at] ?? [];
      if (text === undefined) return;
      if (row.dataset.shown === sentence) return;
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
  }

  line(data) {
    if (!this.log) return;
    document.querySelector('.log-empty')?.remove();
    const row = document.createElement('li');
    const time = document.createElement('time');
    time.dateTime = data.at;
    time.textContent = clock(new Date(data.at));
    const text = document.createElement('span');
    text.textContent = data.text;
    row.append(time, text);
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
