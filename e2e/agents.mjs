// Agents: a server of its own that listens for them, real ones that enrol there, and an admin who
// lets them in and out by keyboard. Pictures are taken when SHOTS names a folder.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { look, lookHere, openLink, person, quit, tabTo, withBrowser } from './browser.mjs';
import { register, serve } from './serve.mjs';

const { RELIGHT } = process.env;

let server;
let folder;
let link;
let origin;
let listener;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'relight-agents-'));
  let first;
  const data = [...register(folder), '--json'];
  ({ server, link, origin, first } = await serve(data, '--agent-listen', '127.0.0.1:0'));
  listener = JSON.parse((await first).value).agents;
});

after(async () => {
  server?.kill();
  rmSync(folder, { recursive: true, force: true });
  await quit();
});

/** A command of the agent of a machine; what it says. */
function agent(host, status, words, input = '') {
  const data = ['--data', join(folder, host), '--lang', 'en'];
  const { status: ended, stdout, stderr } = spawnSync(RELIGHT, ['agent', ...words, ...data], { input });
  assert.equal(ended, status, `${words}: ${stdout}${stderr}`);
  return `${stdout}${stderr}`;
}

/** Makes a code for a machine, as somebody does who has no mouse. */
async function code(page, host) {
  await tabTo(page, 'select[name="organisation"]');
  await page.keyboard.type('Hospital');
  await tabTo(page, 'input[name="host"]');
  await page.keyboard.type(host);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.secret code');
  return page.textContent('.secret code');
}

test('a code is made, a machine enrols with it, and is let in no more', async () => {
  await withBrowser(async (context) => {
    const { page, faults } = await person(context);
    await openLink(page, link, 'en');
    await page.fill('[name=name]', 'anna');
    await page.fill('[name=label]', 'laptop');
    await page.click('button.main');
    await page.waitForURL('**/accounts?*');
    await look(page, `${origin}/agents`, 'agents-none');

    for (const [lang, host, revoked] of [['en', 'web-1', /revoked/], ['fr', 'web-2', /révoqué/]]) {
      await page.goto(`${origin}/agents?lang=${lang}`);
      const shown = await code(page, host);
      await lookHere(page, `agents-code-${lang}`);
      agent(host, 4, ['enrol', '--server', listener, '--host', 'db-1'], shown);
      agent(host, 0, ['enrol', '--server', listener, '--host', host], shown);
      agent(host, 0, ['run', '--once']);
      await look(page, `${origin}/agents`, `agents-${host}`);

      await page.goto(`${origin}/agents?lang=${lang}`);
      const row = page.locator('tbody tr', { hasText: host });
      assert.match(await row.textContent(), /Hospital.*\d+\.\d+\.\d+/);
      await tabTo(page, 'form[action^="/agents/revoke"] button');
      await page.keyboard.press('Enter');
      await page.waitForSelector('.done');
      assert.match(await row.textContent(), revoked);
      assert.equal(await row.locator('button').count(), 0);
      await lookHere(page, `agents-revoked-${lang}`);
      assert.match(agent(host, 4, ['run', '--once']), /lets this agent in no more/);
    }
    assert.deepEqual(faults, []);
  });
});
