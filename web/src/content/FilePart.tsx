import { formatNumber, t } from "../i18n";
import { Icon } from "../ui/Icon";
import { showHiddenCharacters } from "./hiddenCharacters";
import { Link } from "./Link";

const DATA_ADDRESS = /^data:([\w.+-]+\/[\w.+-]+)?[^,]*;base64,/i;

/** A file or audio in a message. If the message contains its bytes, they can be saved; otherwise it is a link. */
export function FilePart({ name, data }: { name: string; data: string }) {
  const header = DATA_ADDRESS.exec(data)?.[0];
  const title = showHiddenCharacters(name) || t("Audio"); // a name such as "exe.pdf" can end otherwise than it looks
  return (
    <p className="file">
      <Icon name="archive" />
      <Link address={data} text={title}>
        <bdi>{title}</bdi>
      </Link>
      {header && <SaveButton name={title} header={header} base64={data.slice(header.length)} />}
    </p>
  );
}

function SaveButton({ name, header, base64 }: { name: string; header: string; base64: string }) {
  const kilobytes = formatNumber(Math.ceil((base64.length * 3) / 4 / 1000));
  const address = `data:application/octet-stream;base64,${base64}`;
  return (
    <a href={address} download={fileName(name, header)}>
      {t("Save ({{size}} kB)", { size: kilobytes })}
    </a>
  );
}

/** Return the name, with an ending from the media type if it has none: `audio/wav` gives `.wav`. */
function fileName(name: string, header: string): string {
  const ending = DATA_ADDRESS.exec(header)?.[1]?.split(/[/+]/)[1];
  return /\.\w+$/.test(name) || !ending ? name : `${name}.${ending}`;
}
