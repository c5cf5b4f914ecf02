// Starts Chromium so that it talks to nobody but the loopback, and checks a page.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const { CHROMIUM = '/usr/bin/chromium', SHOTS } = process.env;

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'];

/** The rule for those who ask for more contrast: 7 to 1. */
export const CONTRAST = { type: 'rule', values: ['color-contrast-enhanced'] };

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--disable-dev-shm-usage'];

let browser;

/** A fresh context, as a new person's browser has it: hand it to `use`. The browser behind it is
 * started once, with a new and empty profile of its own. */
export async function withBrowser(use, options = {}) {
  browser ??= await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
  const context = await browser.newContext(options);
  try {
    return await use(context);
  } finally {
    await context.close();
  }
}

/** Ends the browser; call it when the last test of a file is over. */
export async function quit() {
  await browser?.close();
}

/** Chromium advises to take RSA keys too, whose 2,048 bits count here only where a policy says so. */
const ADVICE = /^publicKey\.pubKeyCredParams is missing .* ES256 and RS256\./;

/** Collects everything a page must not have: console errors, failed and foreign requests. */
export function listen(page) {
  const faults = [];
  page.on('console', (message) => {
    const isFault = message.type() === 'error' || message.type() === 'warning';
    if (isFault && !ADVICE.test(message.text())) faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol !== 'data:' && !['localhost', '127.0.0.1'].includes(hostname)) {
      faults.push(`asked ${request.url()}`);
    }
  });
  return faults;
}

/** A person with a browser and an authenticator that verifies who holds it. */
export async function person(context) {
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', { options: {
    protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true,
    isUserVerified: true, automaticPresenceSimulation: true,
  } });
  const verifies = (isUserVerified) => devtools.send('WebAuthn.setUserVerified',
    { authenticatorId, isUserVerified });
  const keys = async () =>
    (await devtools.send('WebAuthn.getCredentials', { authenticatorId })).credentials;
  // From here on this authenticator holds these keys and no others.
  const hold = async (credentials) => {
    await devtools.send('WebAuthn.clearCredentials', { authenticatorId });
    for (const credential of credentials) {
      await devtools.send('WebAuthn.addCredential', { authenticatorId, credential });
    }
  };
  return { page, faults: listen(page), verifies, keys, hold };
}

/** The first person of a console, who administers it. */
export async function administers(admin, link) {
  await openLink(admin.page, link, 'en');
  await admin.page.fill('[name=name]', 'anna');
  await admin.page.click('button.main');
  await admin.page.waitForURL('**/accounts?*');
}

/** Somebody whom an administrator invites, with a passkey and a role for the whole. */
export async function joins(admin, who, name, role) {
  const accounts = `${new URL(admin.page.url()).origin}/accounts?lang=en`;
  await admin.page.goto(accounts);
  await admin.page.fill('form[action^="/accounts/add"] [name=name]', name);
  await admin.page.click('form[action^="/accounts/add"] button');
  await openLink(who.page, await admin.page.textContent('.secret code'), 'en');
  await who.page.click('button.main');
  await who.page.waitForURL('**/me?*');
  await admin.page.goto(accounts);
  await admin.page.selectOption('[name=name]', name);
  await admin.page.selectOption('[name=role]', role);
  await admin.page.click('form[action^="/accounts/grant"] button');
  await admin.page.waitForSelector('.done');
}

/** Violations of the rules, one line each. It runs beside the page's policy, not against it. */
export async function violations(page, runOnly = { type: 'tag', values: TAGS }) {
  if (!await page.evaluate(() => 'axe' in window)) await page.evaluate(axe);
  const found = await page.evaluate(async (rules) => {
    const result = await window.axe.run(document, { runOnly: rules, resultTypes: ['violations'] });
    return result.violations.map(({ id, nodes }) => `${id}: ${nodes.map((n) => n.target).join(' ')}`);
  }, runOnly);
  return found;
}

/** How far a page is wider than its window, in pixels. */
export const overflow = (page) => page.evaluate(
  () => Math.max(0, document.documentElement.scrollWidth - window.innerWidth));

/** What is wider than its place on a narrow screen, where a table is a list of cards: charts may be,
 * and texts that are shown as they were typed. */
export const sideways = (page) => page.evaluate(() => [...document.querySelectorAll('main *')]
  .filter((it) => /auto|scroll/.test(getComputedStyle(it).overflowX) && it.scrollWidth > it.clientWidth)
  .filter((it) => !it.matches('pre') && !(it.matches('.wide') && it.querySelector('svg.chart')))
  .map((it) => `${it.localName}.${it.className}`));

/** Words of a policy that would let foreign or inline code in. */
export const unsafe = (policy) => (policy ?? 'none at all').split(/[ ;]+/).filter(
  (word) => word.startsWith("'unsafe") || word === '*' || word === 'none' || word.includes('http'));

/** A desk, and the same at twice the size, as the zoom of a browser makes it. */
export const DESK = { viewport: { width: 1600, height: 1000 } };
export const TWICE = { viewport: { width: 800, height: 500 }, deviceScaleFactor: 2 };

/** Looks at what is shown now in two themes and three widths: for pages that only a form leads to.
 * Takes pictures where SHOTS is, and leaves the window as it was. */
export async function lookHere(page, name) {
  const size = page.viewportSize();
  for (const colorScheme of ['light', 'dark']) {
    for (const [width, height] of [[1600, 1000], [400, 800]]) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height });
      assert.deepEqual(await violations(page), [], `${name} ${colorScheme} ${width}`);
      assert.equal(await overflow(page), 0, `${name} ${width} is too wide`);
      if (width < 500) assert.deepEqual(await sideways(page), [], `${name} ${width}`);
      if (SHOTS) {
        const file = `${name}-${colorScheme}-${width}.png`;
        await page.screenshot({ path: join(SHOTS, file), fullPage: width < 500 });
      }
    }
    await page.setViewportSize({ width: 320, height: 800 });
    assert.equal(await overflow(page), 0, `${name} scrolls sideways at 320 px`);
  }
  await page.setViewportSize(size);
}

/** Presses Tab until the focused element fits, as a person would look for it. */
export async function tabTo(page, selector) {
  for (let presses = 0; presses < 150; presses += 1) {
    await page.keyboard.press('Tab');
    if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return;
  }
  assert.fail(`Tab never reaches ${selector}`);
}

/** Opens a link: the page there sends the code from behind `#`, and shows what it opens. */
export async function openLink(page, link, lang) {
  await page.goto(link.replace('#', `?lang=${lang}#`));
  await page.waitForSelector('form[data-key]');
  assert.doesNotMatch(page.url(), /code/, 'the code stays in no address');
}

/** Looks at a page in two languages, two themes and three widths. */
export async function look(page, address, name) {
  for (const lang of ['fr', 'en']) {
    const response = await page.goto(`${address}${address.includes('?') ? '&' : '?'}lang=${lang}`);
    assert.equal(response.status(), 200, name);
    assert.equal(new URL(page.url()).pathname, new URL(address).pathname, `${name} led elsewhere`);
    const headers = await response.allHeaders();
    assert.deepEqual(unsafe(headers['content-security-policy']), [], name);
    await lookHere(page, `${name}-${lang}`);
  }
}
