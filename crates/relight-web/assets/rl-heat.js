// The heat map under the pointer: drawing over weeks asks for the campaigns of these days. The two
// fields for days below it do the same without this module.
const DAY_MS = 86_400_000;
const [LEFT, WIDTH, WEEKS] = [220, 26, 26];

customElements.define('rl-heat', class extends HTMLElement {
  connectedCallback() {
    const svg = this.querySelector('svg');
    const first = Date.parse(this.dataset.first);
    if (!svg || !Number.isFinite(first)) return;
    const day = (days) => new Date(first + days * DAY_MS).toISOString().slice(0, 10);
    let from;
    const week = (event) => {
      const box = svg.getBoundingClientRect();
      const x = (event.clientX - box.left) * 900 / box.width;
      return Math.min(WEEKS - 1, Math.max(0, Math.floor((x - LEFT) / WIDTH)));
    };
    // A finger scrolls; it has the fields.
    svg.addEventListener('pointerdown', (event) => {
      from = event.pointerType === 'touch' ? undefined : week(event);
    });
    svg.addEventListener('pointerup', (event) => {
      if (from === undefined) return;
      const [start, end] = [from, week(event)].sort((a, b) => a - b);
      const form = document.querySelector('form.filters');
      form.elements.from.value = day(start * 7);
      form.elements.to.value = day(end * 7 + 6);
      form.requestSubmit();
    });
  }
});
