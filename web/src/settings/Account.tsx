import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { type Me, meQuery, useChangeMe } from "../api/account";
import { t } from "../i18n";
import { Icon } from "../ui/Icon";
import { errorOf, Field, Outcome } from "./Field";

export function Account() {
  const { data: me } = useQuery(meQuery);
  return (
    <>
      {me ? <Profile me={me} /> : <span className="skeleton" />}
      <SignInLinks email={me?.email ?? ""} />
    </>
  );
}

function Profile({ me }: { me: Me }) {
  const [name, setName] = useState(me.name ?? "");
  const [image, setImage] = useState(me.image ?? "");
  const change = useChangeMe();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate({ name: name.trim(), image: image.trim() });
  };
  return (
    <form onSubmit={submit} noValidate>
      <Field label={t("Name")} error={errorOf(change.error, "name")}>
        {(control) => (
          <input {...control} value={name} autoComplete="name" onChange={(event) => setName(event.target.value)} />
        )}
      </Field>
      <div className="picture-field">
        <Picture key={image} address={image} name={name || me.email || ""} />
        <Field
          label={t("Picture")}
          help={t("The address of a picture, beginning with https://")}
          error={errorOf(change.error, "image")}
        >
          {(control) => (
            <input {...control} type="url" value={image} onChange={(event) => setImage(event.target.value)} />
          )}
        </Field>
      </div>
      <p className="actions">
        <button type="submit" className="button" disabled={change.isPending}>
          {t("Save")}
        </button>
      </p>
      <Outcome error={change.error} fields={["name", "image"]} success={change.isSuccess && t("Saved")} />
    </form>
  );
}

/** The picture, or the first letter of the name while there is no picture that the browser can load. */
function Picture({ address, name }: { address: string; name: string }) {
  const [isBroken, setBroken] = useState(false);
  if (!/^https:\/\/./.test(address) || isBroken) {
    return (
      <span className="avatar" aria-hidden="true">
        {name.slice(0, 1).toUpperCase()}
      </span>
    );
  }
  return <img className="avatar" src={address} alt="" referrerPolicy="no-referrer" onError={() => setBroken(true)} />;
}

function SignInLinks({ email }: { email: string }) {
  const links = [
    { href: "/accounts/email/", title: t("E-mail addresses"), text: email },
    { href: "/accounts/password/change/", title: t("Password"), text: t("Change or set the password") },
    {
      href: "/accounts/2fa/",
      title: t("Second factors"),
      text: t("Authenticator app, security keys, passkeys and recovery codes"),
    },
    { href: "/accounts/sessions/", title: t("Sessions"), text: t("The browsers in which you are signed in") },
    {
      href: "/accounts/3rdparty/",
      title: t("Connections"),
      text: t("Accounts of other services that you use to sign in"),
    },
    { href: "/accounts/logout/", title: t("Sign out"), text: t("End the session in this browser") },
  ];
  return (
    <section className="settings-block" aria-labelledby="sign-in-title">
      <h3 id="sign-in-title">{t("Sign-in")}</h3>
      <ul className="entries">
        {links.map(({ href, title, text }) => (
          <li key={href}>
            <a className="entry-link" href={href}>
              <span>
                <strong>{title}</strong>
                <small className="soft">{text}</small>
              </span>
              <Icon name="chevronRight" />
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
