import { t } from "../i18n";
import { Dialog } from "../ui/Dialog";
import { controlKey } from "./controlKey";
import { setHelpOpen } from "./helpState";
import "./shortcuts.css";

/** The keyboard shortcuts. */
export function KeyboardHelp() {
  return (
    <Dialog title={t("Keyboard shortcuts")} onClose={() => setHelpOpen(false)}>
      <Shortcuts title={t("Everywhere")} shortcuts={everywhere()} />
      <Shortcuts title={t("In search results and suggestions")} shortcuts={inLists()} />
      <Shortcuts title={t("While you write a message")} shortcuts={inComposer()} />
    </Dialog>
  );
}

type Shortcut = [keys: string[], effect: string];

function everywhere(): Shortcut[] {
  return [
    [[controlKey(), "K"], t("Search conversations, messages and commands")],
    [["?"], t("Show the keyboard shortcuts")],
    [["Esc"], t("Close a dialog, a menu or a list")],
    [[controlKey(), "Z"], t("Undo, while a note offers it")],
  ];
}

function inLists(): Shortcut[] {
  return [
    [["↑", "↓"], t("Choose an entry")],
    [["Enter"], t("Open the entry, or accept the suggestion")],
    [[controlKey(), "Enter"], t("Open the entry in a new tab")],
    [["Alt", "↓"], t("Show all search operators")],
  ];
}

function inComposer(): Shortcut[] {
  return [
    [["Enter"], t("Send the message")],
    [["Shift", "Enter"], t("Begin a new line")],
    [["Esc"], t("Stop the reply")],
  ];
}

function Shortcuts({ title, shortcuts }: { title: string; shortcuts: Shortcut[] }) {
  return (
    <section className="shortcuts">
      <h3>{title}</h3>
      <dl>
        {shortcuts.map(([keys, effect]) => (
          <div key={effect}>
            <dt>{effect}</dt>
            <dd>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
