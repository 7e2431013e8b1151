import { Outlet } from "@tanstack/react-router";
import { useSession } from "../api/session";
import { Toasts } from "../ui/Toasts";
import { OtherUser } from "./OtherUser";

/** Everything on the screen. If another user has signed in, nothing of the first user stays on it. */
export function Root() {
  if (useSession() === "of-other-user") return <OtherUser />;
  return (
    <>
      <Outlet />
      <Toasts />
    </>
  );
}
