// A slider beside a field for a day: it moves the day of the field, and asks when it is let go. The
// field alone does the same without this module.
const DAY_MS = 86_400_000;

customElements.define('rl-day', class extends HTMLElement {
  connectedCallback() {
    const field = this.closest('form')?.querySelector('input[type="date"]');
    const [first, last] = [Date.parse(field?.min), Date.parse(field?.max)];
    // One day is nothing to choose from.
    if (!(last > first)) return;
    const slider = document.createElement('input');
    slider.type = 'range';
    slider.min = '0';
    slider.max = String((last - first) / DAY_MS);
    slider.setAttribute('aria-label', this.dataset.label ?? '');
    const show = () => slider.setAttribute('aria-valuetext', field.value);
    const follow = () => {
      slider.value = String((Date.parse(field.value) - first) / DAY_MS);
      show();
    };
    slider.addEventListener('input', () => {
      field.value = new Date(first + Number(slider.value) * DAY_MS).toISOString().slice(0, 10);
      show();
    });
    slider.addEventListener('change', () => field.form.requestSubmit());
    field.addEventListener('input', follow);
    follow();
    this.append(slider);
  }
});
