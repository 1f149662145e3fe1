// Makes the pages live; all of them can be read without it.
const colours = () => {
    const style = getComputedStyle(document.documentElement);
    return { text: style.getPropertyValue("--soft").trim(), line: style.getPropertyValue("--line").trim(),
        of: i => style.getPropertyValue(`--c${i % 8}`).trim() };
};

// Each time also in the reader's own zone.
function localTimes(root) {
    for (const time of root.querySelectorAll("time[datetime]"))
        time.title = `${new Date(time.dateTime).toLocaleString()} (${Intl.DateTimeFormat().resolvedOptions().timeZone}), ${time.dateTime}`;
}

// The table of a figure, oldest first: seconds, then the values by column.
function readTable(figure) {
    const names = [...figure.querySelectorAll("thead th")].slice(1).map(it => it.textContent);
    const rows = [...figure.querySelectorAll("tbody tr")].reverse();
    const times = rows.map(row => Date.parse(row.querySelector("time").dateTime) / 1000);
    const values = names.map((_, k) => rows.map(row => {
        const value = row.querySelectorAll("td")[k].dataset.value;
        return value === undefined || value === "" ? null : Number(value);
    }));
    return { names, data: [times, ...values] };
}

// The part of the time that tells one tick from the next, in UTC.
function clock(times) {
    const [from, to] = [...times.length > 1 ? [times[0], times.at(-1)] : [0, 86400]];
    return to - from > 2 * 86400 ? at => new Date(at * 1000).toISOString().slice(5, 10)
        : to - from > 600 ? at => new Date(at * 1000).toISOString().slice(11, 16) : at => new Date(at * 1000).toISOString().slice(11, 19);
}

function draw(figure) {
    if (!window.uPlot)
        return;
    const place = figure.querySelector(".drawing");
    place.replaceChildren();
    const { names, data } = readTable(figure);
    if (data[0].length === 0)
        return;
    const { text, line, of } = colours();
    const axis = { stroke: text, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
    const unit = figure.dataset.unit;
    const paths = figure.dataset.stepped ? uPlot.paths.stepped({ align: 1 }) : undefined;
    new uPlot({
        width: Math.max(place.clientWidth, 200), height: 220, tzDate: at => uPlot.tzDate(new Date(at * 1000), "UTC"),
        scales: { y: { range: (_, least, most) => [Math.min(0, least), (most || 1) * 1.08] } },
        axes: [{ ...axis, space: 72, values: (_, ticks) => ticks.map(clock(data[0])) }, { ...axis, size: 58 }],
        series: [{ label: "UTC", value: (_, at) => at === null ? "–" : new Date(at * 1000).toISOString().slice(0, 19).replace("T", " ") }, ...names.map((name, i) => ({
            label: name, stroke: of(i), width: 2, paths, spanGaps: true, points: { show: data[0].length < 40, size: 5 },
            value: (_, it) => it === null ? "–" : `${Number(it.toPrecision(4))} ${unit}`,
        }))],
    }, data, place);
}

function begin(root) {
    localTimes(root);
    root.querySelectorAll("figure[data-series]").forEach(draw);
    root.querySelectorAll("form[data-verify]").forEach(verify);
    root.querySelectorAll("output[for]").forEach(output => {
        const input = document.getElementById(output.htmlFor.value);
        const tell = () => { output.value = input.value; };
        input.addEventListener("input", tell);
        tell();
    });
}

// Reads the page anew in place; what is open stays open. Who is writing is not disturbed.
async function refresh(main) {
    const active = document.activeElement;
    if (active && main.contains(active) && active.closest("form"))
        return;
    const answer = await fetch(location.href, { headers: { "X-Requested-With": "refresh" } });
    if (!answer.ok || answer.redirected)
        return location.reload();
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
    const open = [...main.querySelectorAll("details")].map(it => it.open);
    main.replaceChildren(...fresh.childNodes);
    main.querySelectorAll("details").forEach((it, i) => { it.open = open[i] ?? false; });
    begin(main);
    main.dataset.refreshed = String(Number(main.dataset.refreshed ?? 0) + 1);
}

function listen(main) {
    const live = main.dataset.live;
    if (!live)
        return;
    let waiting = 0;
    const source = new EventSource("/changes");
    source.addEventListener("fleet", told => {
        if (waiting || (live !== "*" && live !== told.data))
            return;
        waiting = setTimeout(() => { waiting = 0; refresh(main).catch(() => {}); }, 300);
    });
    addEventListener("pagehide", () => source.close());
}

// Verifies with its progress shown; without script the form asks the server for the whole page.
function verify(form) {
    form.addEventListener("submit", event => {
        event.preventDefault();
        const progress = form.querySelector("progress");
        const status = form.parentElement.querySelector(".verified");
        status.replaceChildren();
        progress.hidden = false;
        const version = form.elements.verify.value;
        const source = new EventSource(`${form.dataset.verify}?version=${encodeURIComponent(version)}`);
        source.addEventListener("step", told => {
            const step = JSON.parse(told.data);
            progress.value = step.of > 0 ? step.passed / step.of : 0;
            if (step.answer) {
                source.close();
                progress.hidden = true;
                show(status, version, step.answer);
            }
        });
        source.addEventListener("error", () => {
            source.close();
            form.submit();
        });
    });
}

function show(status, version, answer) {
    const text = (name, content) => Object.assign(document.createElement(name), { textContent: content });
    const good = answer.matches === true && answer.chainIntact;
    const badge = text("span", good ? "Verified" : answer.matches === null ? "Cannot tell" : "Does not match");
    badge.className = `badge ${good ? "ok" : answer.matches === null ? "" : "fault"}`;
    const first = document.createElement("p");
    first.append(badge, ` version ${version}; the chain is ${answer.chainIntact ? "intact" : "broken"}.`);
    const hashes = document.createElement("p");
    hashes.append("Stored ", text("code", answer.hash ?? "–"), document.createElement("br"), "derived ", text("code", answer.recomputedHash ?? "–"));
    const faults = document.createElement("ul");
    faults.append(...answer.faults.map(fault => text("li", fault)));
    status.replaceChildren(first, hashes, faults);
}

function poll(main) {
    const seconds = Number(main.dataset.everySeconds);
    if (seconds > 0)
        setInterval(() => { if (!document.hidden) refresh(main).catch(() => {}); }, seconds * 1000);
}

const main = document.getElementById("main");
addEventListener("load", () => { begin(main); listen(main); poll(main); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => begin(main));
