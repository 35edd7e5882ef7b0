// The page is there to be printed: open the dialog as soon as it stands.
addEventListener("load", () => print());
