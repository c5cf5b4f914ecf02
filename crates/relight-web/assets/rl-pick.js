// Check boxes of sites: what was checked stays checked when rows leave, move or are made anew, and
// how many that are is told where the plan is asked for. It stands at the end of the address, so that
// it is there after a look at what is new, in the other language and for whoever comes back. Without
// this module the form does it.
const form = document.querySelector('#picks');
const told = form.querySelector('output');

const MARK = '#pick.';
/** Proxies refuse addresses of more than 8 KiB. */
const BYTES_MAX = 6000;

const [, kept = ''] = location.hash.split(MARK);
/** Names of sites. */
const picked = new Set(kept.split('+').filter(Boolean));
const boxes = () => document.querySelectorAll('input[form="picks"]');
const siteOf = (box) => box.name.slice('pick.'.length);

function show() {
  for (const box of boxes()) box.checked = picked.has(siteOf(box));
  const sites = [...picked].join('+');
  const isBeyond = sites.length > BYTES_MAX;
  for (const button of form.querySelectorAll('button')) button.disabled = isBeyond;
  const { one, more, beyond } = told.dataset;
  const text = isBeyond ? beyond : (picked.size > 1 ? more : picked.size && one) || '';
  const count = text.replace('%count%', picked.size);
  if (told.value !== count) told.value = count;
  told.title = sites.replaceAll('+', ' ');
  const here = sites && MARK + sites;
  if (here !== location.hash && (here || location.hash.startsWith(MARK))) {
    history.replaceState(null, '', here || location.pathname + location.search);
  }
}

for (const box of boxes()) if (box.checked) picked.add(siteOf(box));
addEventListener('hashchange', show);
document.querySelector('.top [hreflang]')?.addEventListener('click',
  ({ currentTarget }) => { currentTarget.hash = location.hash; });
document.addEventListener('change', ({ target }) => {
  if (target.form !== form) return;
  if (target.checked) picked.add(siteOf(target)); else picked.delete(siteOf(target));
  show();
});
form.addEventListener('formdata', ({ formData }) => {
  for (const name of [...formData.keys()]) if (name.startsWith('pick.')) formData.delete(name);
  if (picked.size) formData.set('sites', [...picked].join(' '));
});
new MutationObserver(show).observe(document.querySelector('.todo tbody, .sites tbody'),
  { childList: true, subtree: true, attributeFilter: ['name'] });
show();
