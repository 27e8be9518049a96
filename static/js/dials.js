// The dials say what they ask for while they are moved, by eye and to a screen reader.
document.addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector("[data-dials]");
  if (!form) return;
  const dials = [...form.querySelectorAll("[data-dial]")];

  const tell = (dial) => {
    const word = dial.dataset.words.split("|")[dial.value - dial.min];
    dial.setAttribute("aria-valuetext", word);
    form.querySelector(`output[for="${dial.id}"]`).textContent = word;
  };
  // A page that comes back from history has its dials where the person left them.
  addEventListener("pageshow", () => dials.forEach(tell));
  form.addEventListener("input", ({ target }) => target.matches("[data-dial]") && tell(target));

  form.querySelector("[data-dials-reset]")?.addEventListener("click", (event) => {
    event.preventDefault();
    for (const dial of dials) {
      dial.value = 0;
      tell(dial);
    }
    form.dispatchEvent(new Event("change", { bubbles: true }));
  });
});
