// @ts-check
// Follows the jobs of a case and loads its page as soon as one of them is done.

const status = document.getElementById("status");
const jobs = (status?.dataset.jobs || "").split(" ").filter(Boolean);
let ended = 0;

/** @param {string} text */
function say(text) {
  if (status) status.textContent = text;
}

for (const job of jobs) {
  const events = new EventSource(`/api/jobs/${job}/events`);
  events.onmessage = (event) => {
    const state = JSON.parse(event.data);
    if (state.state === "done") {
      location.reload();
      return;
    }
    if (state.state === "running") say(`${state.detail}: ${state.line || "started"}`);
    if (state.state === "failed" || state.state === "cancelled") {
      events.close();
      ended += 1;
      /** @type {{place: string, found: string, remedy: string}[]} */
      const faults = state.faults;
      if (ended === jobs.length) say(faults.map((fault) => `${fault.place}: ${fault.found}. ${fault.remedy}.`).join(" ") || "Cancelled.");
    }
  };
}
