// The table of sites, filtered while somebody types: the server looks through its index and sends
// what stands in the rows of one page. Rows that are there get other texts, because making them anew
// costs a browser more than everything else together. Those below the window stand aside until
// nobody types: a browser lays out and paints what nobody sees, too, before it shows anything.
// Without this module the form does the same.

const QUIET_MS = 700;

/** After this long without a key the rows below the window come back. */
const BELOW_MS = 120;

/** @param {Node} place @param {string} text */
function put(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

/** @param {Element} place @param {string} name @param {string} value */
function set(place, name, value) {
  if (place.getAttribute(name) !== value) place.setAttribute(name, value);
}

/** The text of an element that holds nothing else: written into, it costs less than a new one.
 * @param {Element} place */
const textOf = (place) => place.firstChild ?? place.appendChild(document.createTextNode(''));

/** What changes in each row, looked for once.
 * @type {WeakMap<Element, { box: Element?, link: Element?, light: Element, texts: Node[] }>} */
const known = new WeakMap();

/** @param {Element} row */
function partsOf(row) {
  const found = known.get(row);
  if (found) return found;
  const box = row.querySelector('.pick input');
  const [head, light, ...cells] = row.querySelectorAll(':scope > :not(.pick)');
  const link = head.firstElementChild;
  const texts = [link ?? head, light.lastElementChild, ...cells].map(textOf);
  const parts = { box, link, light: light.querySelector('use'), texts };
  known.set(row, parts);
  return parts;
}

customElements.define('rl-table', class extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector('form');
    this.body = this.querySelector('tbody');
    this.blank = this.querySelector('template').content.firstElementChild;
    /** @type {Element[]} Rows that stand aside. */
    this.aside = [];
    this.asked = this.address();
    this.shown = this.asked;
    this.kept = this.asked;
    this.form.addEventListener('input', () => this.ask());
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.asked = '';
      this.ask();
    });
    // Whoever follows a link comes back to what was there; another page knows nothing of boxes that
    // are checked in this one.
    this.addEventListener('click', (event) => {
      this.keep();
      const link = event.target.closest('.pages a');
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey
        || !document.querySelector('#picks output')?.value) return;
      event.preventDefault();
      this.ask(link.getAttribute('href'));
      this.scrollIntoView();
    });
  }

  address() {
    const fields = new FormData(this.form);
    for (const [name, value] of [...fields]) fields.set(name, value.trim());
    return `${this.form.getAttribute('action')}?${new URLSearchParams(fields)}`;
  }

  async ask(address = this.address()) {
    if (address === this.asked) return;
    this.asked = address;
    this.waiting?.abort();
    const waiting = new AbortController();
    this.waiting = waiting;
    try {
      const { signal } = waiting;
      const headers = { accept: 'application/json' };
      // No cache is asked for what none may keep: that is a look at a disk.
      const asking = { signal, headers, cache: 'no-store' };
      const answer = await fetch(address.replace('?', '/rows?'), asking);
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
    this.mark = data.shown;
    const seen = Math.min(this.inWindow(), data.rows.length);
    this.only(seen);
    this.rows(data.rows, 0, seen);
    const isEmpty = data.rows.length === 0;
    this.querySelector('table').hidden = isEmpty;
    const none = this.querySelector('.none');
    none.hidden = !isEmpty;
    put(none, data.none);
    for (const place of document.querySelectorAll('[data-table="count"]')) put(place, data.count);
    // What stands below the rows would come into the window.
    if (seen === data.rows.length) this.rest(data);
    clearTimeout(this.soon);
    this.soon = setTimeout(() => {
      this.rows(data.rows, seen, data.rows.length);
      this.rest(data);
    }, BELOW_MS);
    clearTimeout(this.later);
    this.later = setTimeout(() => {
      this.keep();
      put(this.querySelector('[role="status"]'), data.count);
    }, QUIET_MS);
  }

  /** How many rows can be seen; all of them, when the first cannot. Without a row it is as before. */
  inWindow() {
    const { top } = this.body.getBoundingClientRect();
    const tall = this.body.firstElementChild?.getBoundingClientRect().height ?? 0;
    if (tall > 0) this.fits = top > 0 ? Math.ceil((innerHeight - top) / tall) + 1 : Infinity;
    return this.fits ?? Infinity;
  }

  /** Leaves the first rows, and puts the others aside. */
  only(count) {
    while (this.body.children.length > count) {
      this.aside.push(this.body.lastElementChild);
      this.body.lastElementChild.remove();
    }
  }

  /** What stands below the rows, and in the head of the page. */
  rest(data) {
    const pages = this.querySelector('.pages');
    pages.hidden = data.rows.length === 0;
    set(pages, 'aria-label', data.page);
    put(pages.querySelector('span'), data.page);
    for (const [name, href] of [['prev', data.previous], ['next', data.next]]) {
      const link = pages.querySelector(`[rel="${name}"]`);
      link.hidden = href === '';
      set(link, 'href', href);
    }
    const batch = this.querySelector('.batch');
    batch.hidden = data.dark === '';
    for (const link of batch.children) set(link, 'href', data[link.dataset.batch]);
    const beyond = this.querySelector('.beyond');
    beyond.hidden = data.beyond === '';
    put(beyond, data.beyond);
    document.querySelector('.top [hreflang]')?.setAttribute('href', data.switch);
  }

  rows(rows, from, to) {
    for (let at = from; at < to; at += 1) this.row(this.body.children[at], rows[at]);
  }

  /** Fills a row, or a new one. */
  row(there, [ordinal, href, slug, letter, ...others]) {
    const row = there ?? this.body.appendChild(this.aside.pop() ?? this.blank.cloneNode(true));
    const { box, link, light, texts } = partsOf(row);
    set(row, 'id', `site-${ordinal}`);
    if (box && box.name !== `pick.${slug}`) {
      box.name = `pick.${slug}`;
      box.ariaLabel = slug;
    }
    if (link) set(link, 'href', href);
    set(light, 'href', `#s-${letter}`);
    texts.forEach((text, at) => {
      const words = at === 0 ? slug : others[at - 1];
      if (text.nodeValue !== words) text.nodeValue = words;
    });
  }

  /** The address says what is shown; a browser refuses to do that after every key. */
  keep() {
    if (this.asked !== this.shown) return;
    const live = document.querySelector('rl-live');
    if (this.mark) live?.setAttribute('data-shown', this.mark);
    if (this.kept === this.shown) return;
    history.replaceState(null, '', this.shown + location.hash);
    this.kept = this.shown;
    // Its stream is about what is shown.
    live?.follow?.();
  }
});
