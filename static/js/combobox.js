// A box with a list of options beneath, by ARIA's pattern: the focus stays in the box, and arrows
// walk through the options. What Enter and Escape do is the page's to say.
const combobox = (input, list) => {
  const options = () => [...list.querySelectorAll("[role=option]")];
  const chosen = () => options().findIndex((option) => option.ariaSelected === "true");
  const choose = (position) => {
    options().forEach((option, at) => option.setAttribute("aria-selected", String(at === position)));
    const option = options()[position];
    if (option) input.setAttribute("aria-activedescendant", option.id);
    else input.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  };

  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.addEventListener("keydown", (event) => {
    const count = options().length;
    const at = chosen();
    // One place more than there are options: the box itself, where nothing is chosen.
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && count) choose(((at + 1 + step + count + 1) % (count + 1)) - 1);
    else if (event.key === "Home" && at >= 0) choose(0);
    else if (event.key === "End" && at >= 0) choose(count - 1);
    else return;
    event.preventDefault();
  });
  return { options, chosen, choose };
};
