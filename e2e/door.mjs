// The door of the console: a server of its own with an empty register of accounts, and people with
// virtual authenticators. Pictures are taken when SHOTS names a folder.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { look, lookHere, openLink, person, quit, withBrowser } from './browser.mjs';
import { register, serve } from './serve.mjs';

const { RELIGHT } = process.env;

let server;
let folder;
let link;
let idle;
let origin;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'relight-door-'));
  ({ server, link, origin } = await serve(register(folder)));
});

after(async () => {
  server?.kill();
  rmSync(folder, { recursive: true, force: true });
  await quit();
});

// The command shows a code, which is typed here; with the passkey it gets its token.
async function letIn(page) {
  const env = { ...process.env, XDG_CONFIG_HOME: join(folder, 'user') };
  const command = ['login', '--server', origin, '--role', 'auditor', '--lang', 'en', '--json'];
  const terminal = spawn(RELIGHT, command, { env });
  const ended = new Promise((resolve) => { terminal.on('close', resolve); });
  let document = '';
  terminal.stdout.on('data', (text) => { document += text; });
  let code;
  for await (const line of createInterface({ input: terminal.stderr })) {
    [, code] = /^ {4}([A-Z]{4}-[A-Z]{4})$/.exec(line) ?? [];
    if (code) break;
  }
  assert.ok(code, 'the command shows a code');
  await look(page, `${origin}/terminal`, 'door-terminal-asks');
  for (const lang of ['fr', 'en']) {
    await page.goto(`${origin}/terminal?lang=${lang}`);
    await page.fill('[name=code]', code);
    await page.click('button.main');
    await page.waitForSelector('form[data-key]');
    await lookHere(page, `door-terminal-${lang}`);
  }
  await page.click('form[data-key] button');
  await page.waitForSelector('.done');
  assert.equal(await ended, 0);
  const { done, file } = JSON.parse(document);
  assert.equal(done, 'login');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  await page.goto(`${origin}/me?lang=en`);
  assert.match(await page.textContent('main'), /relight login, /);
}

test('link, passkey, sign-out, sign-in, another person, revoked', async () => {
  await withBrowser(async (context) => {
    const { page, faults, verifies } = await person(context);
    await look(page, `${origin}/start`, 'door-start-asks');
    for (const lang of ['fr', 'en']) {
      await openLink(page, link, lang);
      await lookHere(page, `door-start-${lang}`);
    }
    await page.fill('[name=name]', 'anna');
    await page.fill('[name=label]', 'laptop');
    await page.click('button.main');
    await page.waitForURL('**/accounts?*');
    assert.deepEqual(faults, []);

    // The link is dead, and the console closed to everybody else.
    const body = new URLSearchParams(new URL(link).hash.slice(1));
    const dead = await fetch(`${origin}/start`, { method: 'POST', headers: { origin }, body });
    assert.equal(dead.status, 404);
    const other = await fetch(`${origin}/sites`, { redirect: 'manual' });
    assert.equal(other.status, 303);
    const cookies = await context.cookies();
    assert.deepEqual(cookies.map(({ name, httpOnly, secure, sameSite }) => (
      { name, httpOnly, secure, sameSite })),
    [{ name: '__Host-rl', httpOnly: true, secure: true, sameSite: 'Strict' }]);

    await page.goto(`${origin}/sites?lang=en`);
    await page.click('header form button');
    await page.waitForURL('**/sign-in*');
    await look(page, `${origin}/sign-in`, 'door-sign-in');
    await page.goto(`${origin}/sites?lang=en`);
    await page.waitForURL('**/sign-in?next=*');

    // A key that does not know who holds it lets nobody in.
    await verifies(false);
    await page.click('button.main');
    await page.waitForSelector('[data-key-failed]:not([hidden])');
    await verifies(true);
    await page.click('button.main');
    await page.waitForURL('**/sites*');
    assert.match(await page.textContent('tbody'), /care/);

    await page.goto(`${origin}/accounts?lang=en`);
    await page.fill('form[action^="/accounts/add"] [name=name]', 'zoe');
    await page.click('form[action^="/accounts/add"] button');
    const invitation = await page.textContent('.secret code');
    // What is shown once, in both languages.
    await lookHere(page, 'door-secret-en');
    await page.goto(`${origin}/accounts?lang=fr`);
    await page.fill('form[action^="/accounts/add"] [name=name]', 'max');
    await page.click('form[action^="/accounts/add"] button');
    await page.waitForSelector('.secret code');
    await lookHere(page, 'door-secret-fr');
    await look(page, `${origin}/accounts`, 'door-accounts');
    await look(page, `${origin}/me`, 'door-me');
    await look(page, `${origin}/confirm?next=/me`, 'door-confirm');
    await page.goto(`${origin}/confirm?next=/me%3Flang=en&lang=en`);
    await page.click('button.main');
    await page.waitForURL('**/me?*');

    await letIn(page);

    await page.goto(`${origin}/accounts?lang=en`);
    await page.fill('form[action^="/accounts/add"] [name=name]', 'wall');
    await page.click('form[action^="/accounts/add"] button');
    idle = await page.textContent('.secret code');

    await withBrowser(async (elsewhere) => {
      const zoe = await person(elsewhere);
      await openLink(zoe.page, invitation, 'en');
      await zoe.page.click('button.main');
      await zoe.page.waitForURL('**/me?*');
      assert.match(await zoe.page.textContent('main'), /No role yet/);
      // Who reads a part is offered nothing that is about the whole, and is led back from it.
      assert.equal(await zoe.page.locator('nav a[href^="/watch"]').count(), 0);
      const beyond = await elsewhere.newPage();
      for (const lang of ['fr', 'en']) {
        assert.equal((await beyond.goto(`${origin}/watch?lang=${lang}`)).status(), 403);
        await lookHere(beyond, `door-beyond-${lang}`);
      }
      await beyond.click('main a.button');
      await beyond.waitForURL('**/sites?lang=en');
      await beyond.close();

      // The first commander: by the admin alone, once.
      await page.goto(`${origin}/accounts?lang=en`);
      await page.selectOption('[name=name]', 'zoe');
      await page.selectOption('[name=role]', 'commander');
      await page.click('form[action^="/accounts/grant"] button');
      await page.waitForSelector('.done');
      await zoe.page.goto(`${origin}/?lang=en`);
      assert.equal(await zoe.page.locator('rl-wall').count(), 1);

      // Ending the account shows the door at once.
      await page.click('form[action^="/accounts/renew"] button[formaction]');
      await page.waitForSelector('.done');
      await zoe.page.goto(`${origin}/?lang=en`);
      await zoe.page.waitForURL('**/sign-in*');
      assert.deepEqual(zoe.faults, []);
    });
  });
});

test('a sign-in that nobody uses says so before it ends, and when it is over', async () => {
  await withBrowser(async (context) => {
    const { page, faults } = await person(context);
    // The only admin is signed in elsewhere: an account of its own comes with a link from there.
    await openLink(page, idle, 'en');
    await page.clock.install();
    await page.click('button.main');
    await page.waitForURL('**/me?*');
    const box = page.locator('.stay');
    await page.clock.fastForward('27:00');
    assert.equal(await box.isVisible(), false, 'three minutes are left');
    await page.clock.fastForward('01:30');
    await page.waitForSelector('.stay:not([hidden])');
    assert.match(await box.innerText(), /in two minutes your sign-in ends/);
    await lookHere(page, 'door-idle-en');
    const stays = page.waitForRequest('**/me');
    await page.click('.stay button');
    assert.equal((await stays).method(), 'GET', 'somebody is there');
    await page.waitForSelector('.stay', { state: 'hidden' });
    // A proxy whose server starts anew says nothing about the sign-in: it is asked again.
    await page.route('**/me', (route) => route.fulfill({ status: 503 }), { times: 1 });
    const answered = page.waitForResponse((answer) => answer.status() === 503);
    await page.clock.fastForward('31:00');
    assert.equal((await answered).request().method(), 'HEAD', 'which keeps nobody signed in');
    await page.clock.runFor('00:05');
    await page.waitForSelector('.stay', { state: 'hidden' });
    await context.clearCookies();
    await page.clock.fastForward('31:00');
    await page.waitForSelector('.stay a:visible');
    assert.match(await box.innerText(), /Your sign-in is over/);
    assert.equal(await page.locator('.stay button').isVisible(), false);
    // The browser says of the last request what the page found out by it.
    assert.deepEqual(faults.filter((fault) => !/status of (401|503)/.test(fault)), []);
  });
});

test('without scripts the page says what it needs', async () => {
  await withBrowser(async (context) => {
    const page = await context.newPage();
    await page.goto(`${origin}/sign-in?lang=en`);
    assert.match(await page.textContent('main'), /need JavaScript/);
  }, { javaScriptEnabled: false });
});
