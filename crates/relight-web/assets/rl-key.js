// Forms with a passkey: the browser is asked for what `data-options` says, its answer goes into the
// field `answer`, and the form is sent as any other. What fails is told by a text of the page.
const bytes = (text) => Uint8Array.from(
  atob(text.replaceAll('-', '+').replaceAll('_', '/')), (sign) => sign.charCodeAt(0));

const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

const keys = (list = []) => list.map((key) => ({ ...key, id: bytes(key.id) }));

async function create(form, options) {
  const name = form.elements.name?.value || options.user.name;
  const { response, rawId } = await navigator.credentials.create({ publicKey: {
    ...options,
    challenge: bytes(options.challenge),
    user: { id: bytes(options.user.id), name, displayName: name },
    excludeCredentials: keys(options.excludeCredentials),
  } });
  return { id: text(rawId), client: text(response.clientDataJSON),
    authenticator: text(response.getAuthenticatorData()) };
}

async function get(form, options) {
  const { response, rawId } = await navigator.credentials.get({ publicKey: {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: keys(options.allowCredentials),
  } });
  return { id: text(rawId), client: text(response.clientDataJSON),
    authenticator: text(response.authenticatorData), signature: text(response.signature) };
}

const ask = { create, get };

for (const form of document.querySelectorAll('form[data-key]')) {
  const failed = form.querySelector('[data-key-failed]');
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    failed.hidden = true;
    const button = event.submitter;
    if (button) button.disabled = true;
    try {
      const answer = await ask[form.dataset.key](form, JSON.parse(form.dataset.options));
      form.elements.answer.value = JSON.stringify(answer);
      form.submit();
    } catch {
      // The person closed the window of the browser, or has no key for this console.
      failed.hidden = false;
      if (button) button.disabled = false;
      button?.focus();
    }
  });
}

// The code of a link stands behind `#`, where no server and no log sees it: it goes into the form
// that asks for it, and out of the address.
const opening = document.querySelector('form[data-link]');

function open() {
  const code = new URLSearchParams(location.hash.slice(1)).get('code');
  if (!code) return;
  history.replaceState(null, '', location.pathname + location.search);
  opening.elements.code.value = code;
  opening.submit();
}

if (opening) {
  window.addEventListener('hashchange', open);
  open();
}
