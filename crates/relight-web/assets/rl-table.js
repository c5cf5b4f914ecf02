// The table of sites, filtered while somebody types: the server looks through its index and sends
// what stands in the rows of one page. Rows that are there get other texts, because making them anew
// costs a browser more than everything else together, and those in the window get them first.
// Without this module the form does the same.

const QUIET_MS = 700;

/** @param {Node} place @param {string} text */
function put(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

/** @param {Element} place @param {string} name @param {string} value */
function set(place, name, value) {
  if (place.getAttribute(name) !== value) place.setAttribute(name, value);
}

customElements.define('rl-table', class extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector('form');
    this.body = this.querySelector('tbody');
    this.blank = this.querySelector('template').content.firstElementChild;
    this.asked = this.address();
    this.shown = this.asked;
    this.kept = this.asked;
    this.form.addEventListener('input', () => this.ask());
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.asked = '';
      this.ask();
    });
    // Whoever follows a link comes back to what was there.
    this.addEventListener('click', () => this.keep());
  }

  address() {
    const fields = new FormData(this.form);
    for (const [name, value] of [...fields]) fields.set(name, value.trim());
    return `${this.form.getAttribute('action')}?${new URLSearchParams(fields)}`;
  }

  async ask() {
    const address = this.address();
    if (address === this.asked) return;
    this.asked = address;
    this.waiting?.abort();
    const waiting = new AbortController();
    this.waiting = waiting;
    try {
      const { signal } = waiting;
      const headers = { accept: 'application/json' };
      const answer = await fetch(address.replace('?', '/rows?'), { signal, headers });
      if (!answer.ok) throw new Error(String(answer.status));
      const data = await answer.json();
      this.shown = address;
      this.show(data);
    } catch {
      // Nobody waits for the answer to older words. Whoever was signed out, say, is told by the
      // page itself.
      if (!waiting.signal.aborted) location.assign(address);
    }
  }

  show(data) {
    const seen = Math.min(this.inWindow(), data.rows.length);
    this.rows(data.rows, 0, seen);
    const isEmpty = data.rows.length === 0;
    this.querySelector('table').hidden = isEmpty;
    this.querySelector('.none').hidden = !isEmpty;
    for (const place of document.querySelectorAll('[data-table="count"]')) put(place, data.count);
    // Rows below those would come into the window.
    if (seen === data.rows.length) this.rest(data);
    clearTimeout(this.soon);
    requestAnimationFrame(() => {
      if (this.asked !== this.shown) return;
      this.soon = setTimeout(() => {
        this.rows(data.rows, seen, data.rows.length);
        this.rest(data);
      });
    });
    clearTimeout(this.later);
    this.later = setTimeout(() => {
      this.keep();
      put(this.querySelector('[role="status"]'), data.count);
    }, QUIET_MS);
  }

  /** How many rows can be seen; all of them, when the first cannot. */
  inWindow() {
    const { top } = this.body.getBoundingClientRect();
    const tall = this.body.firstElementChild?.getBoundingClientRect().height ?? 0;
    return top > 0 && tall > 0 ? Math.ceil((innerHeight - top) / tall) + 1 : Infinity;
  }

  /** What stands below the rows, and in the head of the page. */
  rest(data) {
    while (this.body.children.length > data.rows.length) this.body.lastElementChild.remove();
    const pages = this.querySelector('.pages');
    pages.hidden = data.rows.length === 0;
    set(pages, 'aria-label', data.page);
    put(pages.querySelector('span'), data.page);
    for (const [name, href] of [['prev', data.previous], ['next', data.next]]) {
      const link = pages.querySelector(`[rel="${name}"]`);
      link.hidden = href === '';
      set(link, 'href', href);
    }
    document.querySelector('.top [hreflang]')?.setAttribute('href', data.switch);
  }

  rows(rows, from, to) {
    for (let at = from; at < to; at += 1) this.row(this.body.children[at], rows[at]);
  }

  /** Fills a row, or a new one. */
  row(known, [ordinal, href, slug, letter, state, ...others]) {
    const row = known ?? this.body.appendChild(this.blank.cloneNode(true));
    const [head, light, ...cells] = row.children;
    set(row, 'id', `site-${ordinal}`);
    const link = head.firstElementChild;
    put(link ?? head, slug);
    if (link) set(link, 'href', href);
    set(light.querySelector('use'), 'href', `#s-${letter}`);
    put(light.lastElementChild, state);
    cells.forEach((cell, at) => put(cell, others[at]));
  }

  /** The address says what is shown; a browser refuses to do that after every key. */
  keep() {
    if (this.kept === this.shown || this.asked !== this.shown) return;
    history.replaceState(null, '', this.shown);
    this.kept = this.shown;
  }
});
