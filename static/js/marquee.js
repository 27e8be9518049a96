// What the browser has nothing of its own for: the theme's toggle, photographs that fail, toasts and
// their undoing, the poster that a film takes along from page to page.
// Loaded in the head, so that nothing which needs scripts is shown before it works.
(() => {
  const root = document.documentElement;
  root.classList.add("js");

  // The theme is kept in a cookie: the server writes it into the page, so no page flashes.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  document.addEventListener("click", ({ target }) => {
    if (!target.closest("[data-theme-toggle]")) return;
    const now = root.dataset.theme || (dark.matches ? "dark" : "light");
    const next = now === "dark" ? "light" : "dark";
    root.dataset.theme = next;
    document.cookie = `theme=${next}; path=/; max-age=31536000; samesite=lax`;
  });

  // A photograph that does not load makes way for the drawn poster beneath it.
  document.addEventListener(
    "error",
    ({ target }) => target.matches?.(".poster__photo") && target.remove(),
    true,
  );

  // Toasts stay for long enough to be read, and for as long as they are pointed at; errors stay.
  const seconds = 7;
  const tend = (toast) => {
    const close = document.createElement("button");
    close.type = "button";
    close.className = "toast__close";
    close.setAttribute("aria-label", "Close");
    close.textContent = "×";
    close.addEventListener("click", () => toast.remove());
    toast.append(close);
    if (toast.matches(".toast--error, .toast--warning")) return;
    const leave = () => (toast.matches(":hover, :focus-within") ? setTimeout(leave, 2000) : toast.remove());
    setTimeout(leave, seconds * 1000);
  };
  // What the person has taken away comes back, in every part of the page that shows it.
  const undoing = (undo, toast) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "toast__undo";
    button.textContent = "Undo";
    button.addEventListener("click", () => {
      toast.remove();
      const parts = ["rating", "lists", "less", "counts"].filter((part) =>
        document.querySelector(`[data-${part}="${undo.film}"]`),
      );
      htmx.ajax("POST", undo.url, { source: document.body, swap: "none", values: { ...undo.values, undone: 1, parts } });
    });
    return button;
  };
  const say = (text, level = "info", undo = null) => {
    // The latest word takes the place of the ones before, but for errors.
    document.querySelectorAll(".toast--success, .toast--info").forEach((toast) => toast.remove());
    // What polls fails again and again: it is said once.
    const said = document.querySelectorAll("#toasts .toast p");
    if ([...said].some((words) => words.textContent === text)) return;
    const toast = document.createElement("div");
    toast.className = `toast toast--${level}`;
    toast.append(Object.assign(document.createElement("p"), { textContent: text }));
    if (undo) toast.append(undoing(undo, toast));
    document.getElementById("toasts").append(toast);
    tend(toast);
  };

  // Between a list and a film's page the poster moves from its one place to the other.
  const posterOf = (address) => {
    const own = document.querySelector("[data-shared-poster] .poster");
    const path = new URL(address).pathname;
    return own ?? document.querySelector(`.card__link[href="${CSS.escape(path)}"] .poster`);
  };
  const carry = (transition, address) => {
    const poster = transition && address && posterOf(address);
    if (!poster) return;
    poster.style.viewTransitionName = "poster";
    const end = () => (poster.style.viewTransitionName = "");
    // A transition that the browser breaks off, as on a busy machine, has ended as well.
    transition.finished.then(end, end);
  };
  addEventListener("pageswap", ({ viewTransition, activation }) => carry(viewTransition, activation?.entry?.url));
  addEventListener("pagereveal", ({ viewTransition }) => carry(viewTransition, window.navigation?.activation?.from?.url));

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(".toast").forEach(tend);
    // A response says something with the header HX-Trigger: {"toast": {"text": …, "level": …, "undo": …}}.
    document.body.addEventListener("toast", ({ detail }) => say(detail.text, detail.level, detail.undo));
    document.body.addEventListener("htmx:sendError", () => say("No connection. Check it and try again.", "error"));
    document.body.addEventListener("htmx:timeout", () => say("That took too long. Try again.", "error"));
    document.body.addEventListener("htmx:responseError", ({ detail: { xhr } }) => {
      if (xhr.getResponseHeader("HX-Trigger")?.includes('"toast"')) return;
      say(xhr.status === 429 ? "That was a lot at once. Wait a moment." : "That did not work. Try again.", "error");
    });
  });
})();
