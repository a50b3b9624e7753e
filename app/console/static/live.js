// When the books change, the page's main part is fetched again. Without script a page is what it was when it was opened.
"use strict";
const source = new EventSource("/events");
let mark = null;
source.addEventListener("mark", async (event) => {
  if (mark !== null && mark !== event.data) {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const place = document.scrollingElement.scrollTop;
      document.querySelector("main").replaceChildren(...page.querySelector("main").childNodes);
      document.scrollingElement.scrollTop = place;
    }
  }
  mark = event.data;
});
