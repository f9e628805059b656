// Tells the page that holds this frame how tall the content is: {herald: "height", height: px}.
// Only a page that frame-ancestors lets hold it can be the parent here.
const parent = window.location.ancestorOrigins?.[0] ?? (document.referrer ? new URL(document.referrer).origin : "");
if (window.parent !== window && parent && parent !== "null") {
  const tell = () => {
    const height = Math.ceil(document.body.getBoundingClientRect().height);
    window.parent.postMessage({ herald: "height", height }, parent);
  };
  new ResizeObserver(tell).observe(document.body);
}
