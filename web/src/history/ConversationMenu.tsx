import { Menu, MenuButton, MenuItem, MenuProvider, MenuSeparator, useMenuStore } from "@ariakit/react";
import { type ReactNode, type RefObject, useEffect, useRef, useState } from "react";
import type { Conversation } from "../api/conversations";
import { t } from "../i18n";
import { ShareDialog } from "../sharing/ShareDialog";
import { Icon, type IconName } from "../ui/Icon";
import { IconButton } from "../ui/IconButton";
import { act } from "./actions";
import { RenameDialog } from "./RenameDialog";
import { focusAfterRow, focusMovedRow } from "./rows";
import { TagsDialog } from "./TagsDialog";
import { useMoveToTrash } from "./useMoveToTrash";
import "./menu.css";

const FORMATS = [
  ["markdown", "Markdown"],
  ["json", "JSON"],
  ["html", "HTML"],
  ["csv", "CSV"],
] as const;

type Props = {
  conversation: Conversation;
  /** Renames the conversation in place. Without it, a dialog asks for the new title. */
  onRename?: () => void;
};
type DialogName = "rename" | "tags" | "share";

/** The menu of a conversation: rename, pin, archive, tag, share, export, move to the trash. */
export function ConversationMenu({ conversation, onRename }: Props) {
  const button = useRef<HTMLButtonElement>(null);
  const [isOpen, setOpen] = useState(false);
  const [dialog, setDialog] = useState<DialogName | null>(null);
  const openDialog = (name: DialogName) => {
    button.current?.focus(); // the dialog gives the focus back to the button
    setDialog(name);
  };
  const close = () => setDialog(null);
  return (
    <>
      <IconButton
        ref={button}
        icon="more"
        className="row-menu"
        label={t("Actions for “{{title}}”", { title: conversation.title })}
        title={t("Actions")}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      />
      {isOpen && (
        <OpenMenu
          conversation={conversation}
          button={button}
          onClose={() => setOpen(false)}
          onDialog={(name) => (name === "rename" && onRename ? onRename() : openDialog(name))}
        />
      )}
      {dialog === "rename" && <RenameDialog conversation={conversation} onClose={close} />}
      {dialog === "tags" && <TagsDialog conversations={[conversation]} onClose={close} />}
      {dialog === "share" && <ShareDialog conversationId={conversation.id} onClose={close} />}
    </>
  );
}

type OpenMenuProps = {
  conversation: Conversation;
  button: RefObject<HTMLButtonElement | null>;
  onClose: () => void;
  onDialog: (name: DialogName) => void;
};

/** The menu while it is open. It exists only then, because a list has a menu for each of thousands of rows. */
function OpenMenu({ conversation, button, onClose, onDialog }: OpenMenuProps) {
  const store = useMenuStore({
    open: true,
    setOpen: (isOpen) => !isOpen && onClose(),
    placement: "bottom-end",
  });
  useEffect(() => {
    store.setAutoFocusOnShow(true);
    store.setInitialFocus("first");
  }, [store]);
  const moveToTrash = useMoveToTrash();
  const { is_pinned, is_archived } = conversation;
  const leave = (change: () => void) => {
    focusAfterRow(button.current);
    change();
  };
  const pin = () => {
    focusMovedRow(button.current);
    void act([conversation], is_pinned ? "unpin" : "pin");
  };
  const trash = () => leave(() => moveToTrash([conversation]));
  const archive = () => leave(() => void act([conversation], is_archived ? "unarchive" : "archive"));
  return (
    <Menu
      store={store}
      portal
      gutter={4}
      className="menu"
      aria-label={t("Actions")}
      getAnchorRect={() => button.current?.getBoundingClientRect() ?? null}
      finalFocus={button}
      hideOnInteractOutside={({ target }) => !button.current?.contains(target as Node)}
    >
      <Item icon="edit" onClick={() => onDialog("rename")}>
        {t("Rename")}
      </Item>
      <Item icon="pin" onClick={pin}>
        {is_pinned ? t("Unpin") : t("Pin")}
      </Item>
      <Item icon="tag" onClick={() => onDialog("tags")}>
        {t("Tags…")}
      </Item>
      <Item icon="share" onClick={() => onDialog("share")}>
        {t("Share…")}
      </Item>
      <ExportMenu id={conversation.id} />
      <Item icon="archive" onClick={archive}>
        {is_archived ? t("Take out of the archive") : t("Archive")}
      </Item>
      <MenuSeparator className="menu-separator" />
      <Item icon="trash" className="menu-item danger" onClick={trash}>
        {t("Move to the trash")}
      </Item>
    </Menu>
  );
}

type ItemProps = { icon: IconName; onClick: () => void; className?: string; children: ReactNode };

function Item({ icon, onClick, className = "menu-item", children }: ItemProps) {
  return (
    <MenuItem className={className} onClick={onClick}>
      <Icon name={icon} />
      {children}
    </MenuItem>
  );
}

function ExportMenu({ id }: { id: string }) {
  return (
    <MenuProvider>
      <MenuButton render={<MenuItem className="menu-item" />}>
        <Icon name="download" />
        {t("Export")}
        <span className="menu-arrow">
          <Icon name="chevronRight" />
        </span>
      </MenuButton>
      <Menu portal className="menu" gutter={4}>
        {FORMATS.map(([format, name]) => (
          <MenuItem
            key={format}
            className="menu-item"
            render={<a href={`/api/v1/conversations/${id}/export/?format=${format}`} download />}
          >
            {name}
          </MenuItem>
        ))}
      </Menu>
    </MenuProvider>
  );
}
