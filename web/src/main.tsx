import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { queryClient } from "./api/queryClient";
import { loadCatalogue } from "./i18n";
import { createAppRouter } from "./router";
import "./styles/base.css";

async function start(): Promise<void> {
  await loadCatalogue();
  const root = document.getElementById("app");
  if (!root) throw new Error("app.html has no element with the id app");
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={createAppRouter()} />
      </QueryClientProvider>
    </StrictMode>,
  );
}

void start();
