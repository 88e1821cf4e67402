// data: see tables() in runs.py

const status = (kind, word) => html`<span class="status" data-kind="${kind}">${word}</span>`

const jobRow = (j) => html`<tr data-key="${j.name}"><th scope="row">${j.name}</th><td>${j.notebook}</td><td>${j.cadence}</td>
  <td>${j.next} <span class="soft">${j.left}</span></td>
  <td>${j.last ? html`${status(j.last.status, j.last.word)} <span class="soft">${j.last.when}</span>` : html`<span class="soft">not yet</span>`}</td></tr>`

const runRow = (r) => html`<tr class="run" data-key="${r.id}"><td>${r.started}</td><td>${r.job}</td>
  <td><b>${r.notebook}</b><span class="parameters">${r.parameters}</span></td>
  <td>${status(r.status, r.word)}${r.error ? html`<span class="error">${r.error}</span>` : ""}</td><td class="took">${r.took}</td>
  <td>${r.report ? html`<a class="chip" href="${r.report}" target="_blank" rel="noopener noreferrer">Open report</a>`
    : html`<span class="soft folder">${r.folder}</span>`}</td></tr>`

const runsPage = (d) => html`
  ${d.error ? html`<p class="fault" role="alert">${d.error}</p>` : ""}
  ${d.jobs.length ? html`<section><header><h2>Schedule</h2><p class="soft" data-warn="${!d.scheduler.runs}">${d.scheduler.text}</p></header>
    <div class="panel scroll"><table><thead><tr><th>Job</th><th>Notebook</th><th>When</th><th>Next</th><th>Last run</th></tr></thead>
    <tbody>${d.jobs.map(jobRow)}</tbody></table></div></section>` : ""}
  ${d.runs.length ? html`<section><header><h2>Runs</h2></header>
    <div class="panel scroll"><table><thead><tr><th>Started</th><th>Job</th><th>Notebook</th><th>How it went</th><th>Took</th><th>Report</th></tr></thead>
    <tbody>${d.runs.map(runRow)}</tbody></table></div></section>` : html`<div class="empty"><h2>No runs yet</h2>
    <p>Run a notebook with <code>observatory run explore</code>, or list jobs in <code>observatory.toml</code> and start
    <code>observatory schedule</code>.</p></div>`}`

function render({model, el}) {
  followLab(el, model)
  const paint = () => {
    draw(el, runsPage(model.data))
    arrived("main")
  }
  listen(el, model)
  model.on("data", paint)
  paint()
}
