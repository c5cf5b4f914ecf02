// Check boxes of sites: what was checked stays checked when rows leave, move or are made anew, and
// how many that are is told where the plan is asked for. Without this module the form does it.
const form = document.querySelector('#picks');
const told = form.querySelector('output');

/** @type {Set<string>} Names of the boxes. */
const picked = new Set();
const boxes = () => document.querySelectorAll('input[form="picks"]');
const sites = () => [...picked].map((name) => name.slice('pick.'.length));

function show() {
  for (const box of boxes()) box.checked = picked.has(box.name);
  const { one, more } = told.dataset;
  const text = (picked.size > 1 ? more : picked.size && one) || '';
  const count = text.replace('%count%', picked.size);
  if (told.value !== count) told.value = count;
  told.title = sites().join(' ');
}

for (const box of boxes()) if (box.checked) picked.add(box.name);
document.addEventListener('change', ({ target }) => {
  if (target.form !== form) return;
  if (target.checked) picked.add(target.name); else picked.delete(target.name);
  show();
});
form.addEventListener('formdata', ({ formData }) => {
  for (const name of [...formData.keys()]) if (name.startsWith('pick.')) formData.delete(name);
  if (picked.size) formData.set('sites', sites().join(' '));
});
new MutationObserver(show).observe(document.querySelector('.todo tbody, .sites tbody'),
  { childList: true, subtree: true, attributeFilter: ['name'] });
show();
