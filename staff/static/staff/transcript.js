// The transcript of a conversation: keys, and pages that load as the reader scrolls. Everything works without it.
"use strict";

const transcript = document.getElementById("transcript");
const keys = document.getElementById("keys");

// Pages

// Replaces a link to a page with the messages of that page. Returns whether this has worked.
async function load(link) {
    if (link.dataset.loading) return true;
    link.dataset.loading = "true";
    const url = new URL(link.href);
    url.searchParams.set("fragment", "");
    const answer = await fetch(url).catch(() => null);
    delete link.dataset.loading;
    // For example, the server redirects after the end of the session.
    if (!answer || !answer.ok || answer.redirected) return false;
    const fragment = new DOMParser().parseFromString(await answer.text(), "text/html");
    const further = fragment.querySelector(`a.more[rel=${link.rel}]`);
    const parts = [fragment.querySelector(".page"), further].filter(Boolean);
    const before = document.documentElement.scrollHeight;
    link.replaceWith(...(link.rel === "next" ? parts : parts.reverse()));
    if (link.rel === "prev") window.scrollBy(0, document.documentElement.scrollHeight - before);
    if (further) watch(further);
    return true;
}

async function loadOrOpen(link) {
    if (!(await load(link))) location.assign(link.href);
}

const observer = new IntersectionObserver(
    (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => load(entry.target)),
    { rootMargin: "600px" }, // pixels below the window
);

// Later pages load as the reader scrolls. Earlier pages load on a click, because they would move the text that is read.
function watch(link) {
    if (link.rel === "next") observer.observe(link);
}

transcript.querySelectorAll("a.more").forEach(watch);
transcript.addEventListener("click", (event) => {
    const link = event.target.closest("a.more");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    loadOrOpen(link);
});

// Messages

function messages() {
    return [...transcript.querySelectorAll(".page > .message")];
}

function current() {
    return document.activeElement.closest?.(".page > .message") ?? null;
}

function show(element) {
    if (!element) return;
    element.focus({ preventScroll: true });
    element.scrollIntoView({ block: "start" });
}

function firstVisible(list) {
    return list.findIndex((element) => element.getBoundingClientRect().bottom > 60);
}

function step(list, selected, by) {
    const index = list.indexOf(selected);
    if (index >= 0) return list[index + by];
    const visible = Math.max(firstVisible(list), 0);
    return list[by > 0 ? visible : Math.max(visible - 1, 0)];
}

async function stepPage(by) {
    const pages = [...transcript.querySelectorAll(".page")];
    const selected = current()?.closest(".page") ?? pages[Math.max(firstVisible(pages), 0)];
    const index = pages.indexOf(selected) + by;
    const link = transcript.querySelector(`a.more[rel=${by > 0 ? "next" : "prev"}]`);
    if (!pages[index] && link) {
        await loadOrOpen(link);
        return show([...transcript.querySelectorAll(".page")].at(by > 0 ? index : 0)?.querySelector(".message"));
    }
    show(pages[index]?.querySelector(".message"));
}

function stepAlternative(rel) {
    (current() ?? transcript).querySelector(`.siblings a[rel=${rel}]`)?.click();
}

function toggle(element) {
    const folded = [...element.querySelectorAll("details:not(.judge)")];
    const open = folded.some((details) => !details.open);
    folded.forEach((details) => (details.open = open));
}

// Hits of a search

const hits = document.getElementById("hits");

// Shows the next or previous hit, also if it is on another page. After the last hit, it opens the page of results.
function stepHit(by) {
    const seqs = hits.dataset.hits.split(" ").filter(Boolean).map(Number);
    const selected = document.activeElement.closest?.(".message") ?? null;
    const here = selected ? Number(selected.id.replace("message-", "")) : Number(hits.dataset.at);
    const seq = by > 0 ? seqs.find((hit) => hit > here) : seqs.findLast((hit) => hit < here);
    if (seq === undefined && by > 0) return location.assign(hits.querySelector(".results").href);
    if (seq === undefined) return;
    const message = document.getElementById(`message-${seq}`);
    if (message) return reveal(message);
    location.assign(`?${new URLSearchParams({ at: seq, q: hits.dataset.q })}#message-${seq}`);
}

// A link to a result leads into a call that is folded.
function openTarget() {
    const target = /^#message-\d+$/.test(location.hash) && document.querySelector(location.hash);
    if (target) reveal(target);
}

function reveal(target) {
    for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    show(target);
}

// Reviews

// Returns the review of the current message. Without one, it is that of the whole conversation.
function review() {
    const message = current() ?? document.activeElement.closest?.(".message");
    return (message?.querySelector(":scope > .review") ?? document.getElementById("review-0"))?.querySelector(".judge");
}

function openReview(selector) {
    const form = review();
    if (!form) return;
    form.open = true;
    form.querySelector(selector).focus();
}

function judge(number) {
    const form = review();
    if (!form?.open) return;
    const buttons = [...form.querySelectorAll("button[name=verdict]")];
    const labels = buttons.filter((button) => /^\d+$/.test(button.value));
    (number ? labels[number - 1] : buttons.find((button) => button.value === "looked_at"))?.click();
}

// Keys

const actions = {
    j: () => show(step(messages(), current(), 1)),
    k: () => show(step(messages(), current(), -1)),
    n: () => (hits ? stepHit(1) : stepPage(1)),
    p: () => (hits ? stepHit(-1) : stepPage(-1)),
    h: () => stepAlternative("prev"),
    l: () => stepAlternative("next"),
    e: () => toggle(current() ?? messages()[firstVisible(messages())] ?? transcript),
    E: () => toggle(transcript),
    "/": () => document.getElementById("find").focus(),
    v: () => openReview("button[name=verdict]"),
    c: () => openReview("textarea"),
    i: () => document.getElementById("next-item")?.click(),
    "?": () => keys?.showModal(),
};

document.addEventListener("keydown", (event) => {
    const isSending = event.key === "Enter" && (event.ctrlKey || event.metaKey);
    if (isSending && event.target.matches("textarea")) return event.target.form.requestSubmit();
    const isTyping = event.target.closest?.("input, textarea, select, [contenteditable], dialog");
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^\d$/.test(event.key)) return judge(Number(event.key));
    if (!(event.key in actions)) return;
    event.preventDefault();
    actions[event.key]();
});

if (keys) {
    const button = document.getElementById("show-keys");
    button.hidden = false;
    button.addEventListener("click", () => keys.showModal());
}

// Printing shows what is folded, and folds it again.
let opened = [];
window.addEventListener("beforeprint", () => {
    opened = [...transcript.querySelectorAll("details:not([open], .judge)")];
    opened.forEach((details) => (details.open = true));
});
window.addEventListener("afterprint", () => opened.forEach((details) => (details.open = false)));
window.addEventListener("hashchange", openTarget);
openTarget();
