// The invitation's link, copied by a button.
document.addEventListener("DOMContentLoaded", () => {
  const button = document.querySelector("[data-copy]");
  button?.addEventListener("click", async () => {
    const field = document.querySelector(button.dataset.copy);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      // Browsers let a page write there only over https; the link is selected, to be copied by hand.
      return;
    }
    button.textContent = "Copied";
  });
});
