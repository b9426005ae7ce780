document.body.textContent = "sessiondex"
