import { Menu, MenuButton, MenuItem, MenuProvider } from "@ariakit/react";
import { useQuery } from "@tanstack/react-query";
import { modelsQuery } from "../api/account";
import type { Message } from "../api/messages";
import { MessageTools } from "../content/MessageTools";
import { t } from "../i18n";
import { ShareUpTo } from "../sharing/ShareUpTo";
import { Icon } from "../ui/Icon";
import { IconButton } from "../ui/IconButton";
import { askAgain, remove } from "./actions";
import { BranchPicker } from "./BranchPicker";

type Props = { message: Message; isLast: boolean; onEdit: () => void };

/** The row below a message: its branches, its tools, and what asks a model. */
export function MessageActions({ message, isLast, onEdit }: Props) {
  const isQuestion = message.role === "user";
  return (
    <div className="message-actions">
      <BranchPicker message={message} />
      <MessageTools message={message} />
      {isQuestion && message.content && <IconButton icon="edit" label={t("Edit the message")} onClick={onEdit} />}
      {(message.role === "assistant" || (isQuestion && isLast)) && <TryAgain message={message} />}
      <ShareUpTo message={message} />
      <IconButton icon="trash" label={t("Delete the message")} onClick={() => remove(message)} />
    </div>
  );
}

function TryAgain({ message }: { message: Message }) {
  const { data: models = [] } = useQuery(modelsQuery);
  if (models.length < 2) return <IconButton icon="refresh" label={t("Try again")} onClick={() => askAgain(message)} />;
  return (
    <MenuProvider>
      <MenuButton className="icon-button" aria-label={t("Try again")} title={t("Try again")}>
        <Icon name="refresh" />
      </MenuButton>
      <Menu className="menu" gutter={4} portal unmountOnHide>
        <MenuItem className="menu-item" onClick={() => askAgain(message)}>
          {t("Try again")}
        </MenuItem>
        {models.map(({ name }) => (
          <MenuItem key={name} className="menu-item" onClick={() => askAgain(message, name)}>
            {t("With {{model}}", { model: name })}
          </MenuItem>
        ))}
      </Menu>
    </MenuProvider>
  );
}
