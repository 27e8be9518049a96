// The search box as a combobox: arrow keys walk through the suggestions, Enter opens the chosen one.
document.addEventListener("DOMContentLoaded", () => {
  const box = document.querySelector("[data-search]");
  const input = box.querySelector("input");
  const list = box.querySelector(".search__suggestions");
  const options = () => [...list.querySelectorAll("[role=option]")];
  const chosen = () => options().findIndex((option) => option.ariaSelected === "true");

  const choose = (position) => {
    options().forEach((option, at) => option.setAttribute("aria-selected", String(at === position)));
    const option = options()[position];
    if (option) input.setAttribute("aria-activedescendant", option.id);
    else input.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  };
  const open = () => {
    input.setAttribute("aria-expanded", String(options().length > 0));
    // What comes later stands beneath, and leaves the choice as it is.
    if (chosen() < 0) input.removeAttribute("aria-activedescendant");
  };

  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", list.id);
  open();
  list.addEventListener("htmx:afterSwap", open);

  input.addEventListener("keydown", (event) => {
    const count = options().length;
    if (event.key === "Escape" && count) {
      list.replaceChildren();
      open();
      event.preventDefault();
    } else if (event.key === "Enter" && chosen() >= 0) {
      options()[chosen()].querySelector("a").click();
      event.preventDefault();
    } else if (count && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      // One place more than there are options: the box itself, where nothing is chosen.
      const step = event.key === "ArrowDown" ? 1 : -1;
      choose(((chosen() + 1 + step + count + 1) % (count + 1)) - 1);
      event.preventDefault();
    }
  });
});
