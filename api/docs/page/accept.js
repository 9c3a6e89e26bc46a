// Accepts an invitation. Its token is taken out of the address at once: it is in no history, and no server is sent it but by joining.
const token = location.hash.slice(1);
history.replaceState(null, "", location.pathname);
const form = document.getElementById("join");
const said = document.getElementById("said");
const say = (text) => { said.textContent = text; };

async function join() {
  const body = { token, password: form.password.value };
  if (form.elements.name.value.trim()) body.name = form.elements.name.value;
  const answer = await fetch("/api/v1/auth/accept-invitation", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const found = await answer.json();
  if (!answer.ok) throw new Error((found.error.details || []).map((one) => `${one.field} ${one.message}`).join("; ") || found.error.message);
  form.remove();
  say(`Welcome, ${found.user.name}: you are a member of ${found.workspace.name} now, and can log in.`);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  say("…");
  join().catch((error) => say(error.message));
});
if (!token) say("Open the whole link that you were sent: what stands behind its # is missing.");
