// The search box of every page: it suggests as one types, and Enter opens what is chosen. Empty, it
// offers what was looked for before.
document.addEventListener("DOMContentLoaded", () => {
  const box = document.querySelector("[data-search]");
  const input = box.querySelector("input");
  const list = box.querySelector(".search__suggestions");
  const status = box.querySelector("[data-search-status]");
  const { options, chosen, choose } = combobox(input, list);

  // Each letter waits a moment, and drops the question before it: by fetch, as htmx would complain
  // of each on the console. Where no answer comes, Enter still opens the page of all that is found.
  let waiting;
  let asking;
  const drop = () => {
    clearTimeout(waiting);
    asking?.abort();
  };
  const ask = async () => {
    asking = new AbortController();
    const address = `${input.dataset.suggestions}?${new URLSearchParams({ q: input.value })}`;
    try {
      const answer = await fetch(address, { signal: asking.signal });
      if (!answer.ok) return;
      list.innerHTML = await answer.text();
    } catch {
      return;
    }
    htmx.process(list);
    status.textContent = list.querySelector("[data-said]")?.dataset.said ?? "";
    tellState();
  };
  input.addEventListener("input", () => {
    drop();
    if (input.value.trim().length > 1) {
      waiting = setTimeout(ask, 120);
    } else {
      close();
      offerRecent();
    }
  });

  const tellState = () => {
    input.setAttribute("aria-expanded", String(options().length > 0 && box.contains(document.activeElement)));
    // What comes later stands beneath, and leaves the choice as it is.
    if (chosen() < 0) input.removeAttribute("aria-activedescendant");
  };
  const close = () => {
    drop();
    list.replaceChildren();
    status.textContent = "";
    tellState();
  };

  // What was looked for, kept in this browser alone: [words, address], the latest first.
  const store = "recent-searches";
  const most = 6;
  const recent = () => {
    try {
      const kept = JSON.parse(localStorage.getItem(store)) ?? [];
      return kept.filter(([words, address]) => words && /^\/(?!\/)/.test(address)).slice(0, most);
    } catch {
      return [];
    }
  };
  const remember = (words, address) => {
    const others = recent().filter(([, other]) => other !== address);
    try {
      localStorage.setItem(store, JSON.stringify([[words, address], ...others].slice(0, most)));
    } catch {
      // A browser that keeps nothing.
    }
  };
  const make = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  const offerRecent = () => {
    if (input.value || !recent().length) return;
    const heading = make("p", { class: "suggestions__kind quiet", id: "search-recent" }, "Lately");
    const links = recent().map(([words, address], at) =>
      make(
        "a",
        { class: "suggestion", role: "option", id: `suggestion-recent-${at}`, href: address, tabindex: "-1", "aria-selected": "false" },
        words,
      ),
    );
    const forget = make("button", { class: "button button--bare button--small", type: "button" }, "Forget these");
    forget.addEventListener("click", () => {
      localStorage.removeItem(store);
      input.focus();
      close();
    });
    const listbox = make("div", { role: "listbox", id: "search-options", "aria-labelledby": "search-recent" }, ...links);
    list.replaceChildren(make("div", { class: "suggestions" }, heading, listbox, forget));
    tellState();
  };

  input.setAttribute("aria-controls", "search-options");
  tellState();

  list.addEventListener("htmx:afterSwap", tellState);
  list.addEventListener("click", ({ target }) => {
    const option = target.closest("[role=option]");
    if (!option) return;
    const words = option.querySelector(".suggestion__words")?.firstChild.textContent ?? option.textContent;
    remember(option.id === "suggestion-all" ? input.value.trim() : words.trim(), option.getAttribute("href"));
  });
  box.addEventListener("submit", (event) => {
    const words = input.value.trim();
    if (!words) event.preventDefault();
    else remember(words, `${box.getAttribute("action")}?q=${encodeURIComponent(words)}`);
  });
  box.addEventListener("focusin", ({ target }) => {
    if (target === input) offerRecent();
    tellState();
  });
  box.addEventListener("focusout", ({ relatedTarget }) => {
    if (box.contains(relatedTarget)) return;
    choose(-1);
    input.setAttribute("aria-expanded", "false");
  });

  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && options().length) close();
    else if (event.key === "Enter" && chosen() >= 0) options()[chosen()].click();
    else return;
    event.preventDefault();
  });

  // Ctrl K, or ⌘K on a Mac, where Ctrl K cuts a line. Never a letter alone: who speaks to the computer
  // or slips on a key would set it off (WCAG 2.1.4).
  const isMac = navigator.userAgent.includes("Mac OS");
  if (isMac) {
    input.setAttribute("aria-keyshortcuts", "Meta+K");
    box.querySelector("kbd").textContent = "⌘K";
  }
  document.addEventListener("keydown", (event) => {
    const { key, metaKey, ctrlKey, altKey, shiftKey } = event;
    if (key.toLowerCase() !== "k" || altKey || shiftKey || metaKey !== isMac || ctrlKey === isMac) return;
    event.preventDefault();
    input.focus();
    input.select();
  });
});
