// Boxes that scroll can be reached with the keyboard, and only those that scroll.
"use strict";

function reach() {
  for (const box of document.querySelectorAll(".highlight pre, .table-wrapper, .math-wrapper, div.math")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

addEventListener("load", reach);
addEventListener("resize", reach);
