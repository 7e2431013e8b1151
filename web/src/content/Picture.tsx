import { useState } from "react";
import { t } from "../i18n";
import { hostOf, isEmbeddedPicture, isRemotePicture } from "./links";

type Props = { address: string | undefined; description: string | undefined };

/**
 * A picture of a message. A picture on another site is loaded only after a click, because the request tells that site
 * who reads the message and when.
 */
export function Picture({ address = "", description = "" }: Props) {
  const [isWanted, setWanted] = useState(false);
  if (isEmbeddedPicture(address) || isWanted) return <PictureElement address={address} description={description} />;
  if (!isRemotePicture(address)) return <span className="soft">{description || t("Picture")}</span>;
  return (
    <button type="button" className="remote-picture" onClick={() => setWanted(true)}>
      {description && <span dir="auto">{description} · </span>}
      {t("Load the picture from {{host}}", { host: hostOf(address) })}
    </button>
  );
}

function PictureElement({ address, description }: { address: string; description: string }) {
  const [isBroken, setBroken] = useState(false);
  if (isBroken) return <span className="soft">{t("The picture cannot be shown.")}</span>;
  return <img src={address} alt={description} referrerPolicy="no-referrer" onError={() => setBroken(true)} />;
}
