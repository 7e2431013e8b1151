import { Component, type ReactNode } from "react";
import { PlainText } from "./PlainText";

type Props = { text: string; children: ReactNode };
type State = { text: string; hasFailed: boolean };

/** Shows the text as it is if its Markdown cannot be shown. Another text, as of a stream, gets a new try. */
export class PlainTextBoundary extends Component<Props, State> {
  override state: State = { text: this.props.text, hasFailed: false };

  static getDerivedStateFromProps({ text }: Props, state: State): State | null {
    return text === state.text ? null : { text, hasFailed: false };
  }

  static getDerivedStateFromError(): Partial<State> {
    return { hasFailed: true };
  }

  override render(): ReactNode {
    return this.state.hasFailed ? <PlainText text={this.props.text} /> : this.props.children;
  }
}
