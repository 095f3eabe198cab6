// Unfolds what a search has found.
addEventListener("load", () => {
    for (const found of document.querySelectorAll("details mark")) {
        found.closest("details").open = true;
    }
});
