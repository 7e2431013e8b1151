import type { ComponentPropsWithRef } from "react";
import { Icon, type IconName } from "./Icon";

type Props = Omit<ComponentPropsWithRef<"button">, "children"> & { icon: IconName; label: string };

/** A button that shows an icon. The label is its name for screen readers, and its tooltip. */
export function IconButton({ icon, label, className = "", ...props }: Props) {
  return (
    <button type="button" className={`icon-button ${className}`} aria-label={label} title={label} {...props}>
      <Icon name={icon} />
    </button>
  );
}
