// Who you are, remembered by this tab until it is closed; without script it is typed again.
for (const field of document.querySelectorAll("[data-remember]")) {
  const key = `herald-${field.dataset.remember}`;
  if (!field.value) field.value = sessionStorage.getItem(key) ?? "";
  field.addEventListener("change", () => sessionStorage.setItem(key, field.value));
}
