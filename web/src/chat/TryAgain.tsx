import { Menu, MenuButton, MenuItem, MenuProvider, useMenuStore } from "@ariakit/react";
import { useEffect, useRef, useState } from "react";
import { type Model, modelsQuery } from "../api/account";
import type { Message } from "../api/messages";
import { queryClient } from "../api/queryClient";
import { t } from "../i18n";
import { Icon } from "../ui/Icon";
import { IconButton } from "../ui/IconButton";
import { askAgain } from "./actions";

const NONE: readonly Model[] = [];

/** Asks for another answer. With several models, it opens a menu of them. */
export function TryAgain({ message }: { message: Message }) {
  // A menu is expensive, and a thread has hundreds of messages. So a menu is created when it is opened for the first time.
  const [models, setModels] = useState(NONE);
  if (models.length > 1) return <ModelMenu message={message} models={models} />;
  const start = async () => {
    const known = await queryClient.ensureQueryData(modelsQuery).catch(() => NONE);
    if (known.length > 1) setModels(known);
    else askAgain(message);
  };
  return <IconButton icon="refresh" label={t("Try again")} onClick={start} />;
}

function ModelMenu({ message, models }: { message: Message; models: readonly Model[] }) {
  const menu = useMenuStore();
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    menu.setDisclosureElement(button.current); // gets the focus when the menu closes
    menu.setAutoFocusOnShow(true);
    menu.setInitialFocus("first");
    menu.show();
  }, [menu]);
  return (
    <MenuProvider store={menu}>
      <MenuButton ref={button} className="icon-button" aria-label={t("Try again")} title={t("Try again")}>
        <Icon name="refresh" />
      </MenuButton>
      <Menu className="chat-menu" gutter={4} portal unmountOnHide>
        <MenuItem className="chat-menu-item" onClick={() => askAgain(message)}>
          {t("Try again")}
        </MenuItem>
        {models.map(({ name }) => (
          <MenuItem key={name} className="chat-menu-item" onClick={() => askAgain(message, name)}>
            {t("With {{model}}", { model: name })}
          </MenuItem>
        ))}
      </Menu>
    </MenuProvider>
  );
}
