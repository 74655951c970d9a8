// The overview: live tiles on the left, alerts on the right.

import { AlertList } from "/app/alert_list.js";
import { listen } from "/app/stream.js";
import { mountTiles } from "/app/tiles.js";
import { mountTopbar } from "/app/topbar.js";

const topbar = mountTopbar("overview");
mountTiles(document.getElementById("tiles"), document.getElementById("tiles-summary"));
const alerts = new AlertList(document.getElementById("alerts"));
alerts.load();
listen({
  onAlert: (alert, kind) => alerts.receive(alert, kind),
  onState: topbar.setConnection,
  onOpen: () => alerts.load(),
});
