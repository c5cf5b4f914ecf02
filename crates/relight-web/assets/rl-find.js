// A field that finds services by words of their names. It reads one file, once somebody types; the
// alphabet below it does the same without this module.
const SHOWN_MAX = 40;

/** Accents and case do not count. */
const plain = (text) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

customElements.define('rl-find', class extends HTMLElement {
  connectedCallback() {
    const lang = document.documentElement.lang === 'en' ? 'en' : 'fr';
    const label = document.createElement('label');
    const field = document.createElement('input');
    field.type = 'search';
    label.append(this.dataset.label ?? '', ' ', field);
    const told = document.createElement('p');
    told.setAttribute('role', 'status');
    const list = document.createElement('ul');
    list.className = 'found';
    this.append(label, told, list);
    let services;
    const read = async () => {
      const answer = await fetch('/services.json');
      if (!answer.ok) throw new Error(String(answer.status));
      const file = await answer.json();
      return file.services.map((one) => ({ ...one, key: plain(one.name[lang]) }));
    };
    field.addEventListener('input', async () => {
      services ??= read();
      const wanted = plain(field.value).split(/\s+/).filter(Boolean);
      try {
        const all = await services;
        const found = wanted.length === 0 ? [] : all.filter(
          (one) => wanted.every((word) => one.key.includes(word)));
        list.replaceChildren(...found.slice(0, SHOWN_MAX).map((one) => this.row(one, lang)));
        told.textContent = wanted.length > 0 && found.length === 0 ? this.dataset.none
          : found.length > SHOWN_MAX ? this.dataset.more : '';
      } catch {
        services = undefined;
        told.textContent = this.dataset.failed;
      }
    });
  }

  row(one, lang) {
    const row = document.createElement('li');
    const state = document.createElement('span');
    state.textContent = one.online ? this.dataset.online : this.dataset.offline;
    if (!one.online) state.className = 'off';
    row.append(one.name[lang], ' ', state);
    return row;
  }
});
