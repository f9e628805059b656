// Keys of the presenter: they follow the page's own links.
const links = {
  ArrowRight: "a[rel=next]", PageDown: "a[rel=next]",
  ArrowLeft: "a[rel=prev]", PageUp: "a[rel=prev]",
  Escape: "a[data-leave]",
};
document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const selector = links[event.key];
  if (!selector) return;
  event.preventDefault();
  document.querySelector(selector)?.click();
});
