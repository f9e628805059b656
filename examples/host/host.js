// What the form holds goes into the element as it was typed; the frame gets the height that it asks for.
const form = document.getElementById("ish");
const card = document.getElementById("card");
const frame = document.getElementById("frame");

function take() {
  for (const field of form.elements) card.setAttribute(field.name, field.value);
}

form.addEventListener("input", take);
form.addEventListener("submit", (event) => event.preventDefault());
take();

card.addEventListener("her2-answer", ({ detail }) => console.info("Herald:", detail.answer.status, detail.answer.final));
card.addEventListener("her2-error", ({ detail }) => console.info("Herald shows no status:", detail.kind));

window.addEventListener("message", ({ data, origin }) => {
  if (origin === new URL(frame.src).origin && data?.herald === "height") frame.style.height = `${Number(data.height)}px`;
});
