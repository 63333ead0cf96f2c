/* Progressive enhancement only: every page works without this file. Its words come from the page's data attributes. */
(function () {
  'use strict';
  const all = (selector) => document.querySelectorAll(selector);
  const one = (selector) => document.querySelector(selector);

  // 1. One submit per click. Back from Stripe the browser may restore the old page: the button is let go, and because
  //    what the page says of the money may have changed meanwhile, it loads anew (but for the answer to a form).
  document.addEventListener('submit', (event) => {
    const button = event.submitter || event.target.querySelector('[data-busy]');
    if (!button || !button.dataset.busy) return;
    if (button.getAttribute('aria-disabled') === 'true') { event.preventDefault(); return; }
    button.dataset.label = button.textContent;
    button.setAttribute('aria-disabled', 'true');
    button.textContent = button.dataset.busy;
  });
  window.addEventListener('pageshow', (event) => {
    if (!event.persisted) return;
    all('[data-label]').forEach((button) => {
      button.textContent = button.dataset.label;
      button.removeAttribute('aria-disabled');
    });
    if (one('main[data-payment-status]') && !location.pathname.endsWith('/pay')) location.reload();
  });

  // 2. The hold: whole minutes in the last hour, spoken only at 10, 5 and 1.
  const until = one('[data-countdown]'), left = one('[data-left]');
  if (until && left) {
    const end = Date.parse(until.dateTime), spoken = document.createElement('span');
    let last = null;
    spoken.className = 'vh';
    spoken.setAttribute('role', 'status');
    left.parentNode.appendChild(spoken);
    const tick = () => {
      const minutes = Math.ceil((end - Date.now()) / 60000);
      if (minutes === last || minutes >= 60) return;
      last = minutes;
      const words = minutes < 1 ? left.dataset.over : minutes === 1 ? left.dataset.one : left.dataset.many;
      left.textContent = words.replace('{n}', minutes);
      if (minutes === 10 || minutes === 5 || minutes === 1) spoken.textContent = left.textContent;
    };
    tick();
    setInterval(tick, 5000);
  }

  // 3. The checking page looks again by itself for two minutes, and loads anew when the answer has changed.
  const poll = one('[data-poll]');
  if (poll) {
    const before = one('main').dataset.paymentStatus, stop = Date.now() + 120000;
    poll.textContent = poll.dataset.poll;
    const look = async () => {
      if (Date.now() > stop) { poll.textContent = poll.dataset.over; return; }
      try {
        const answer = await fetch(location.href, { cache: 'no-store', credentials: 'same-origin' });
        const main = answer.ok && new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('main');
        if (main && main.dataset.paymentStatus && main.dataset.paymentStatus !== before) {
          poll.textContent = poll.dataset.news;
          location.reload();
          return;
        }
      } catch (error) { /* offline for a moment: the next look may work */ }
      setTimeout(look, 4000);
    };
    setTimeout(look, 4000);
  }

  // 4. Print buttons print.
  all('[data-print]').forEach((link) => link.addEventListener('click', (event) => { event.preventDefault(); window.print(); }));

  // 5. After a refused form, start at the summary.
  const summary = one('[data-focus]');
  if (summary) summary.focus();
})();
