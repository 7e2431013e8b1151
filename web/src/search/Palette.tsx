import { t } from "../i18n";
import { Dialog } from "../ui/Dialog";
import { setPaletteOpen } from "./palette";

export function Palette() {
  return <Dialog title={t("Search")} onClose={() => setPaletteOpen(false)} />;
}
