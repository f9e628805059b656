// The form changes the element beside it, and the line of code under it.
const form = document.querySelector("form[data-tries]");
const card = document.getElementById(form.dataset.tries);
const code = document.getElementById(`${form.dataset.tries}-code`);

function take() {
  for (const field of form.elements) {
    if (field.type === "checkbox") card.toggleAttribute(field.name, field.checked);
    else if (field.value && field.value !== "auto") card.setAttribute(field.name, field.value);
    else card.removeAttribute(field.name);
  }
  const written = [...card.attributes].filter(({ name }) => name !== "id");
  const told = written.map(({ name, value }) => (value ? ` ${name}="${value.replaceAll("&", "&amp;").replaceAll('"', "&quot;")}"` : ` ${name}`));
  code.textContent = `<her2-card${told.join("")}></her2-card>`;
}

form.addEventListener("input", take);
form.addEventListener("submit", (event) => event.preventDefault());
take();
