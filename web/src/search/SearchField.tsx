import { type KeyboardEvent, useLayoutEffect, useRef, useState } from "react";
import { t } from "../i18n";
import { Icon } from "../ui/Icon";
import { IconButton } from "../ui/IconButton";
import { complete, type Suggestion, suggest, tokenAt } from "./operators";
import { useActiveOption } from "./useActiveOption";
import { useOperatorValues } from "./useOperatorValues";

type Props = {
  text: string;
  onChange: (text: string) => void;
  /** Enter without an active suggestion. */
  onSubmit: () => void;
  /** The down arrow without a list. */
  onLeaveDown: () => void;
};

/** When the suggestions are shown: never, while a word is typed, or also without one, with all operators. */
type Offer = "none" | "typed" | "all";

/** The field of the search. It offers operators and their values for what is typed at the cursor. */
export function SearchField({ text, onChange, onSubmit, onLeaveDown }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const [cursor, setCursor] = useState(text.length);
  const [offer, setOffer] = useState<Offer>("none");
  const values = useOperatorValues(text);
  const suggestions = offer === "none" ? [] : suggest(text, cursor, values);
  const isListed = suggestions.length > 0 && (offer === "all" || tokenAt(text, cursor).text !== "");
  const options = useActiveOption(
    isListed ? suggestions.map((suggestion) => suggestion.text) : [],
    `${text}\n${cursor}`,
    false,
  );
  const moveCursor = useCursor(input, text);

  const change = (next: string, position: number, nextOffer: Offer) => {
    setCursor(position);
    setOffer(nextOffer);
    onChange(next);
  };
  const choose = (suggestion: Suggestion) => {
    const completed = complete(text, cursor, suggestion);
    moveCursor(completed.cursor);
    change(completed.text, completed.cursor, "typed");
  };
  const showOperators = () => {
    setOffer(offer === "all" && isListed ? "none" : "all");
    input.current?.focus();
  };
  const handleKey = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing || options.moveByKey(event)) return;
    const active = suggestions.find((suggestion) => suggestion.text === options.active);
    if ((event.key === "Enter" || event.key === "Tab") && active) {
      event.preventDefault();
      choose(active);
    } else if (event.key === "Enter") {
      setOffer("none");
      onSubmit();
    } else if (event.key === "Escape") setOffer("none");
    else if (event.key === "ArrowDown") {
      event.preventDefault();
      if (event.altKey || text.trim() === "") setOffer("all");
      else onLeaveDown();
    }
  };

  return (
    <div className="search-field">
      <Icon name="search" />
      <input
        ref={input}
        role="combobox"
        {...options.field}
        aria-expanded={isListed}
        aria-label={t("Search conversations and messages")}
        placeholder={t("Search")}
        value={text}
        dir="auto"
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        enterKeyHint="search"
        // biome-ignore lint/a11y/noAutofocus: the page exists for this field
        autoFocus
        onChange={(event) =>
          change(event.target.value, event.target.selectionStart ?? event.target.value.length, "typed")
        }
        onSelect={(event) => setCursor(event.currentTarget.selectionStart ?? 0)}
        onKeyDown={handleKey}
        onBlur={() => setOffer("none")}
      />
      {text && (
        <IconButton
          icon="close"
          label={t("Clear the search")}
          onClick={() => {
            change("", 0, "none");
            input.current?.focus();
          }}
        />
      )}
      <IconButton
        icon="settings"
        label={t("Search operators")}
        aria-expanded={isListed && offer === "all"}
        onPointerDown={(event) => event.preventDefault()}
        onClick={showOperators}
      />
      <SuggestionList suggestions={isListed ? suggestions : []} options={options} onChoose={choose} />
    </div>
  );
}

/** Return a function that puts the cursor at a position as soon as the field shows the next text. */
function useCursor(input: React.RefObject<HTMLInputElement | null>, text: string): (position: number) => void {
  const wanted = useRef<number | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text is what the effect waits for
  useLayoutEffect(() => {
    if (wanted.current !== null) input.current?.setSelectionRange(wanted.current, wanted.current);
    wanted.current = null;
  }, [text]);
  return (position) => {
    wanted.current = position;
  };
}

type ListProps = {
  suggestions: Suggestion[];
  options: ReturnType<typeof useActiveOption>;
  onChoose: (suggestion: Suggestion) => void;
};

function SuggestionList({ suggestions, options, onChoose }: ListProps) {
  return (
    <div
      id={options.listId}
      role="listbox"
      className="suggestions"
      aria-label={t("Search operators")}
      hidden={suggestions.length === 0}
    >
      {suggestions.map((suggestion) => (
        <button
          type="button"
          key={suggestion.text}
          {...options.option(suggestion.text)}
          // The field keeps the focus.
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => onChoose(suggestion)}
        >
          <code>{suggestion.label}</code>
          <span className="soft">{suggestion.hint}</span>
        </button>
      ))}
    </div>
  );
}
