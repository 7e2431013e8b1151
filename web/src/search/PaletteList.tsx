import { type MouseEvent, useId } from "react";
import { t } from "../i18n";
import { Icon } from "../ui/Icon";
import type { Group, Item } from "./items";
import { Snippet } from "./Snippet";
import type { useActiveOption } from "./useActiveOption";

type Open = (item: Item, event: MouseEvent) => void;
type Options = ReturnType<typeof useActiveOption>;
type Props = { groups: Group[]; options: Options; onOpen: Open };

export function PaletteList({ groups, options, onOpen }: Props) {
  return (
    <div id={options.listId} role="listbox" className="palette-list" aria-label={t("Search and commands")}>
      {groups.map((group) => (
        <PaletteGroup key={group.title} group={group} options={options} onOpen={onOpen} />
      ))}
    </div>
  );
}

function PaletteGroup({ group, options, onOpen }: { group: Group; options: Options; onOpen: Open }) {
  const titleId = useId();
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be in a list box
    <div role="group" aria-labelledby={titleId}>
      <div id={titleId} className="palette-title" role="presentation">
        {group.title}
      </div>
      {group.items.map((item) => (
        <PaletteItem key={item.id} item={item} option={options.option(item.id)} onOpen={onOpen} />
      ))}
    </div>
  );
}

type ItemProps = { item: Item; option: ReturnType<Options["option"]>; onOpen: Open };

function PaletteItem({ item, option, onOpen }: ItemProps) {
  const content = (
    <>
      <Icon name={item.icon} />
      <span className="palette-label" dir="auto">
        {item.snippet ? <Snippet html={item.snippet} isShort /> : item.label}
      </span>
      {item.detail && (
        <span className="palette-detail soft" dir="auto">
          {item.detail}
        </span>
      )}
    </>
  );
  const open = (event: MouseEvent) => {
    event.preventDefault();
    onOpen(item, event);
  };
  if ("href" in item)
    return (
      <a {...option} className={item.isTall ? "palette-item tall" : "palette-item"} href={item.href} onClick={open}>
        {content}
      </a>
    );
  return (
    <button type="button" {...option} className={item.isTall ? "palette-item tall" : "palette-item"} onClick={open}>
      {content}
    </button>
  );
}
