// Signing in through a real OpenID provider: bound with a passkey, used in its place, with roles by
// groups there, refused for a stranger, and gone. Pictures are taken when SHOTS names a folder.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import Provider from 'oidc-provider';
import { look, lookHere, openLink, person, quit, withBrowser } from './browser.mjs';
import { register, run, serve } from './serve.mjs';

const ROWS = `slug,name_fr,name_en,origin,organisation,sector,criticality,edge,public
care,Soins,Care,https://care.example,Hospital,health,2,,yes
`;

const SECRET = 'a secret: with & signs, + and %20';

let server;
let folder;
let link;
let origin;
let realm;
let subject = 'anna-at-the-realm';
/** The groups of that one. */
let groups = [];

/** Waits for a port, so that the address of the provider is known before anything else is. */
function listen(handler) {
  return new Promise((resolve) => {
    const http = createServer((request, response) => handler.now(request, response));
    http.listen(0, '127.0.0.1', () => resolve(http));
  });
}

/** The provider: whoever presses its button is `subject`. */
function provider(issuer) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 3072 });
  const made = new Provider(issuer, {
    clients: [{ client_id: 'relight', client_secret: SECRET,
      redirect_uris: [`${origin}/sign-in/oidc/back`] }],
    cookies: { keys: ['only for this test'] },
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', kid: 'first' }] },
    claims: { acr: null, amr: null, auth_time: null, iss: null, sid: null, openid: ['sub', 'amr', 'groups'] },
    // What a scope means stands in the token itself, as Entra ID and Keycloak do it.
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, groups }) }),
    async loadExistingGrant({ oidc }) {
      const grant = new oidc.provider.Grant(
        { clientId: oidc.client.clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope('openid');
      await grant.save();
      return grant;
    },
  });
  const answer = made.callback();
  return (request, response) => {
    if (!request.url.startsWith('/interaction/')) return answer(request, response);
    if (request.method === 'POST') {
      return made.interactionFinished(request, response,
        { login: { accountId: subject, amr: ['pwd', 'mfa'] } }, { mergeWithLastSubmission: false });
    }
    response.setHeader('content-type', 'text/html');
    return response.end('<!doctype html><link rel="icon" href="data:,"><title>Realm</title>'
      + '<form method="post"><button>It is me</button></form>');
  };
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'relight-oidc-'));
  const handler = {};
  realm = await listen(handler);
  const issuer = `http://localhost:${realm.address().port}`;
  const data = register(folder, ROWS);
  writeFileSync(join(folder, 'data', 'realm.secret'), `${SECRET}\n`, { mode: 0o600 });
  writeFileSync(join(folder, 'data', 'policy.toml'), `[oidc]
name = "the realm"
issuer = "${issuer}"
client_id = "relight"
client_secret_file = "realm.secret"
second_factor_amr = ["mfa"]

[[oidc.group]]
value = "nurses"
role = "analyst"
scope = "/"
`);
  run(data, 'policy', 'sign', '--key', join(folder, 'key'));
  ({ server, link, origin } = await serve(data));
  handler.now = provider(issuer);
});

/** The page between the provider and ours, without what makes it go on by itself. */
async function lookAtArrival(page, lang) {
  const held = async (route) => {
    const response = await route.fetch();
    const [body, refresh] = [await response.text(), /<meta http-equiv="refresh"[^>]*>/];
    assert.match(body, refresh);
    await route.fulfill({ contentType: 'text/html; charset=utf-8', body: body.replace(refresh, '') });
  };
  await page.route('**/sign-in/oidc?*', held);
  await page.goto(`${origin}/sign-in?next=/sites&lang=${lang}`);
  await page.click('main a[href^="/sign-in/oidc"]');
  await page.waitForSelector('main .door a[href^="/sites"]');
  await lookHere(page, `oidc-arrived-${lang}`);
  await page.unroute('**/sign-in/oidc?*', held);
}

/** Signs in at the provider again, with these groups there, and looks at what there is of one's own. */
async function comesWith(page, now) {
  groups = now;
  await page.goto(`${origin}/sites?lang=en`);
  await page.click('header form button');
  await page.waitForURL('**/sign-in*');
  await page.goto(`${origin}/sign-in?next=/me&lang=en`);
  await page.click('text=Sign in with the realm');
  await page.waitForURL('**/me*');
  return page.textContent('main');
}

/** A group gives its role to the sign-in that came with it, and to none after it; other groups, of
 * whatever name, give nothing. */
async function groupGives(page) {
  const given = /Analyst, in everything \(by a group at the realm/;
  assert.doesNotMatch(await comesWith(page, ['admin', 'commander', 'approver']), given);
  assert.match(await comesWith(page, ['staff', 'nurses']), given);
  await look(page, `${origin}/me`, 'oidc-group');
  assert.doesNotMatch(await comesWith(page, ['staff']), given);
}

after(async () => {
  server?.kill();
  realm?.closeAllConnections();
  realm?.close();
  rmSync(folder, { recursive: true, force: true });
  await quit();
});

test('bound with a passkey, an identity signs in; a stranger does not; keys go on', async () => {
  await withBrowser(async (context) => {
    const { page, faults } = await person(context);
    await openLink(page, link, 'en');
    await page.fill('[name=name]', 'anna');
    await page.click('button.main');
    await page.waitForURL('**/accounts?*');

    await page.goto(`${origin}/me?lang=en`);
    await page.click('text=Bind my identity at the realm');
    await page.waitForURL('**/interaction/*');
    await page.click('text=It is me');
    await page.waitForURL('**/me?*');
    assert.match(await page.textContent('main'), /anna-at-the-realm/);
    await look(page, `${origin}/me`, 'oidc-me');

    await page.goto(`${origin}/sites?lang=en`);
    await page.click('header form button');
    await page.waitForURL('**/sign-in*');
    await look(page, `${origin}/sign-in`, 'oidc-sign-in');

    // The provider knows the browser still: nobody is asked anything. The cookie of the sign-in is
    // `Strict`, and comes along all the same, because our own page goes on.
    await page.goto(`${origin}/sites?lang=en`);
    await page.waitForURL('**/sign-in?next=*');
    await page.click('text=Sign in with the realm');
    await page.waitForURL('**/sites?*');
    assert.match(await page.textContent('tbody'), /care/);
    const cookies = (await context.cookies(origin)).filter(({ name }) => name.startsWith('__Host-'));
    assert.deepEqual(cookies.map(({ name, httpOnly, secure, sameSite }) => (
      { name, httpOnly, secure, sameSite })),
    [{ name: '__Host-rl', httpOnly: true, secure: true, sameSite: 'Strict' }]);
    for (const lang of ['fr', 'en']) await lookAtArrival(page, lang);
    await groupGives(page);
    await page.goto(`${origin}/sites?lang=en`);
    // What only a key opens stays closed.
    await page.goto(`${origin}/accounts?lang=en`);
    assert.equal(await page.locator('form[action^="/accounts/add"]').count(), 0);
    assert.deepEqual(faults, []);

    await withBrowser(async (elsewhere) => {
      subject = 'somebody-else';
      const stranger = await elsewhere.newPage();
      await stranger.goto(`${origin}/sign-in?lang=en`);
      await stranger.click('text=Sign in with the realm');
      await stranger.waitForURL('**/interaction/*');
      await stranger.click('text=It is me');
      await stranger.waitForSelector('[role=alert]:not([hidden])');
      assert.match(await stranger.textContent('main'), /No account here is bound/);
      // An answer that was used already is worth nothing in any browser.
      const used = stranger.url();
      assert.equal((await stranger.goto(used)).status(), 403);
    });

    // The provider is gone: it is said, and the passkey lets in as before.
    realm.closeAllConnections();
    await new Promise((resolve) => { realm.close(resolve); });
    await page.goto(`${origin}/sites?lang=en`);
    await page.click('header form button');
    await page.waitForURL('**/sign-in*');
    await page.click('button.main');
    await page.waitForURL(`${origin}/`);
    assert.match(await page.textContent('header'), /anna/);
  });
});
