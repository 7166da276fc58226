/* What the page's components share: the month that is shown, the theme's colours, the chart library, files. */
(function () {
  "use strict";
  const root = document.documentElement;
  const listeners = new WeakMap();
  const figures = new Intl.NumberFormat("en-US", { maximumFractionDigits: 4 }); // toLocaleString makes one each time

  const page = {
    month: 0, months: 96, playing: false, speed: 10, labels: [],

    /* Show a month, everywhere at once. */
    show(month) {
      month = Math.max(0, Math.min(page.months, Math.round(month)));
      page.month = month;
      window.dispatchEvent(new CustomEvent("takeorpay:month", { detail: { month } }));
    },

    /* Call back with the month now and whenever it changes, until `ignore` with the same owner. */
    follow(owner, callback) {
      page.ignore(owner);
      const listener = (event) => callback(event.detail.month);
      listeners.set(owner, listener);
      window.addEventListener("takeorpay:month", listener);
      callback(page.month);
    },
    ignore(owner) {
      const listener = listeners.get(owner);
      if (listener) window.removeEventListener("takeorpay:month", listener);
      listeners.delete(owner);
    },

    calm: () => window.matchMedia("(prefers-reduced-motion: reduce)").matches || root.dataset.motion === "none",

    /* The theme's colour of a name such as "ink"; with @0.2 at its end, that much of it. */
    colour(name) {
      const [plain, share] = name.split("@");
      const value = getComputedStyle(root).getPropertyValue("--" + plain).trim() || "#888";
      if (share === undefined) return value;
      const part = Math.round(255 * Math.max(0, Math.min(1, Number(share)))).toString(16).padStart(2, "0");
      return value + part;
    },
    /* Diagonal lines of the theme's colour of a name, to fill an area with. */
    hatch(name) {
      const tile = document.createElement("canvas"), pen = tile.getContext("2d");
      tile.width = tile.height = 8;
      pen.strokeStyle = page.colour(name);
      pen.lineWidth = 1.4;
      for (const start of [-8, 0, 8]) { pen.moveTo(start, 8); pen.lineTo(start + 8, 0); }
      pen.stroke();
      return { image: tile, repeat: "repeat" };
    },
    coloured(value) {
      if (typeof value === "string") return value.startsWith("var:") ? page.colour(value.slice(4)) : value.startsWith("hatch:") ? page.hatch(value.slice(6)) : value;
      if (Array.isArray(value)) return value.map(page.coloured);
      if (value && typeof value === "object") {
        const made = {};
        for (const key of Object.keys(value)) made[key] = page.coloured(value[key]);
        return made;
      }
      return value;
    },
    theme(dark) {
      if ((root.dataset.theme === "dark") === dark) return;
      root.dataset.theme = dark ? "dark" : "light";
      window.dispatchEvent(new CustomEvent("takeorpay:theme"));
    },

    /* At most three significant figures, and none that are not needed: 1,400 · 38.4 · 0.072. */
    number(value) {
      if (value === null || value === undefined || value === "-" || Number.isNaN(Number(value))) return "–";
      const size = Math.abs(value);
      if (size !== 0 && size < 0.0005) return "0";
      const rounded = Number(Number(value).toPrecision(3));
      return figures.format(rounded);
    },

    /* In an open menu: arrows, Home and End move among its buttons. */
    amongButtons(event) {
      const buttons = [...event.currentTarget.querySelectorAll("button:not(:disabled)")], at = buttons.indexOf(document.activeElement);
      const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
      if (to === undefined || !buttons.length) return;
      event.preventDefault();
      event.stopPropagation();
      buttons[(to + buttons.length) % buttons.length].focus();
    },

    library: null,
    charts() {
      if (!page.library) {
        const base = (window.solara && solara.rootPath) || "";
        page.library = import(base + "/_solara/cdn/echarts@5.4.0/dist/echarts.esm.min.js");
      }
      return page.library;
    },

    save(name, blob) {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    },
    csv(table) {
      const cell = (value) => {
        let text = value === null || value === undefined ? "" : typeof value === "object" ? value.text : String(value);
        if (/^[=+\-@\t]/.test(text) && Number.isNaN(Number(text))) text = "'" + text; // no formulas in a spreadsheet
        return /[",\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
      };
      const names = table.columns.map((each) => (typeof each === "object" ? each.title : each));
      return [names, ...table.rows].map((row) => row.map(cell).join(",")).join("\n") + "\n";
    },
    async copy(text) {
      try {
        await navigator.clipboard.writeText(text);
        return true;
      } catch (refused) {
        const field = document.createElement("textarea");
        field.value = text;
        document.body.appendChild(field);
        field.select();
        const done = document.execCommand("copy");
        field.remove();
        return done;
      }
    },
  };
  window.takeorpay = page;

  /* The address names the theme and the month, so that both are right before the server answers. */
  const asked = new URLSearchParams(window.location.search);
  root.dataset.theme = asked.get("dark") === "1" ? "dark" : "light";
  page.month = Math.max(0, parseInt(asked.get("month"), 10) || 0);
  page.charts().catch(() => {});
})();
